import { stepSeconds } from "./cost.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";
import { type Summary, summarize } from "./statistics.ts";

export interface Table {
  readonly name: string;
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the numbers are. */
  readonly note: string;
}

interface Column {
  readonly head: string;
  value(run: Run): number | undefined;
  format(value: number): string;
}

const percent = (value: number) => (100 * value).toFixed(2);
const lastOf = <T>(list: readonly T[]): T | undefined => list.at(-1);

const columns: readonly Column[] = [
  { head: "test accuracy, %", value: ({ record }) => record.result?.test.accuracy, format: percent },
  { head: "test loss", value: ({ record }) => record.result?.test.loss, format: (x) => x.toFixed(4) },
  { head: "training loss", value: ({ epochs }) => lastOf(epochs)?.train.loss, format: (x) => x.toFixed(4) },
  { head: "last λ₁", value: ({ refreshes }) => lastOf(refreshes)?.eigenvalue, format: (x) => x.toPrecision(3) },
  {
    head: "|cos(ε, v₁)|",
    value: ({ steps }) => {
      const values = steps.flatMap(({ cosEpsV }) => cosEpsV ?? []);
      return values.length === 0 ? undefined : summarize(values).mean;
    },
    format: (x) => x.toFixed(3),
  },
  { head: "ms per step", value: (run) => scaled(stepSeconds(run), 1000), format: (x) => x.toFixed(1) },
];

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value * by);

/** One row per group: mean ± standard deviation over seeds, and how many there are. */
export function resultsTable(groups: readonly Group[]): Table {
  const rows = groups.map(({ label, runs }) => [
    label,
    String(runs.length),
    ...columns.map(({ value, format }) => {
      const values = runs.flatMap((run) => value(run) ?? []);
      return values.length === 0
        ? "–"
        : show(summarize(values), format) + (values.length < runs.length ? ` (n = ${values.length})` : "");
    }),
  ]);
  const intervals = groups.map(({ runs }) =>
    summarize(runs.flatMap(({ record }) => record.result?.test.accuracy ?? [])),
  );
  return {
    name: "results",
    title: "Results",
    head: ["method", "n", ...columns.map(({ head }) => head)],
    rows,
    note: `Mean ± sample standard deviation over n seeds. ${verdict(intervals)}`,
  };
}

const show = ({ mean, std }: Summary, format: (value: number) => string): string =>
  std === undefined ? format(mean) : `${format(mean)} ± ${format(std)}`;

/** Whether the accuracies can be told apart at all. */
function verdict(summaries: readonly Summary[]): string {
  const known = summaries.filter(({ n, ci95 }) => n > 1 && ci95 !== undefined);
  if (known.length < 2) return "One seed each shows nothing about differences between methods.";
  const apart = known.every((a, i) =>
    known.every((b, j) => i === j || a.mean + a.ci95! < b.mean - b.ci95! || b.mean + b.ci95! < a.mean - a.ci95!),
  );
  return apart
    ? "The 95 % confidence intervals of test accuracy do not overlap."
    : "The 95 % confidence intervals of test accuracy overlap: these runs do not rank the methods.";
}

export function toMarkdown({ head, rows, note }: Table): string {
  const lines = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  // A bar inside a cell, as in |cos|, would end it.
  const text = lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  return `${text.join("\n")}\n\n${note}\n`;
}

const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

export const toCsv = ({ head, rows }: Table): string =>
  [head, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
