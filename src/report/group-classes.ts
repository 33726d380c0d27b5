import { type ClassScore, scoresOf } from "../train/class-scores.ts";
import type { Confusion } from "../train/confusion.ts";
import { summarize } from "../util/statistics.ts";
import { confusionTable } from "./class-tables.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";
import { cellsOf, type Table } from "./table.ts";

/** A confusion matrix is read on a page up to so many classes, and side by side for so many groups. */
const [MOST_CLASSES, MOST_GROUPS] = [20, 4];

/** How the runs of a group told the classes of the test examples apart. */
interface Told {
  readonly label: string;
  readonly names: readonly string[];
  readonly runs: readonly Confusion[];
}

/** Which test examples were taken for what at a run's end. */
function confusionOf({ record }: Run): Confusion[] {
  const rows = record.result?.confusion;
  return rows === undefined ? [] : [rows.map((row) => row.split(" ").map(Number))];
}

function told(groups: readonly Group[]): Told[] {
  const all = groups.flatMap(({ label, runs }): Told[] => {
    const counted = runs.flatMap(confusionOf);
    if (counted.length === 0) return [];
    const known = runs[0]!.record.data.format?.classNames ?? [];
    return [{ label, runs: counted, names: counted[0]!.map((_, i) => known[i] ?? String(i)) }];
  });
  // Groups of other classes, as of another data set, have no lines in common.
  const classes = (one: Told) => [one.runs[0]!.length, ...one.names].join(" ");
  return all.every((one) => classes(one) === classes(all[0]!)) ? all : [];
}

/** F1 of every class on the test examples, by group; and of a few groups which classes were taken for which. */
export function classTablesOf(groups: readonly Group[]): Table[] {
  const shown = told(groups);
  const first = shown[0];
  if (first === undefined) return [];
  const scores = shown.map(({ runs, names }) => runs.map((confusion) => scoresOf(confusion, names)));
  const few = shown.length <= MOST_GROUPS && first.names.length <= MOST_CLASSES;
  return [
    f1Table(shown, scores),
    ...(few ? shown.map(({ label, names, runs }, i) => pooled(label, names, runs, i)) : []),
  ];
}

function f1Table(shown: readonly Told[], scores: readonly (readonly ClassScore[][])[]): Table {
  const names = shown[0]!.names;
  const of = (group: number, label: number) => summarize(scores[group]!.flatMap((run) => run[label]!.f1 ?? []));
  const text = (group: number, label: number): string => {
    const { n, mean, std } = of(group, label);
    if (n === 0) return "–";
    return std === undefined ? (100 * mean).toFixed(1) : `${(100 * mean).toFixed(1)} ± ${(100 * std).toFixed(1)}`;
  };
  const examples = (label: number) => scores[0]![0]![label]!.n;
  return {
    name: "f1-by-class",
    title: "F1 by class",
    head: ["class", "examples", ...shown.map(({ label }) => label)],
    rows: names.map((name, label) =>
      cellsOf([name, String(examples(label)), ...shown.map((_, group) => text(group, label))]),
    ),
    note: "On the test examples, at the end of the runs, in %: the harmonic mean of the part of those taken for the class that are of it, and of the part of its examples that were found. Mean ± standard deviation over seeds.",
    csv: [
      ["class", "examples", ...shown.flatMap(({ label }) => [`${label} F1`, `${label} F1 std`])],
      ...names.map((name, label) => [
        ...[name, examples(label)],
        ...shown.flatMap((_, group) => {
          const { n, mean, std } = of(group, label);
          return [n === 0 ? "" : mean, std ?? ""];
        }),
      ]),
    ],
  };
}

/** The confusion matrices of a group's runs, added up. */
function pooled(label: string, names: readonly string[], runs: readonly Confusion[], i: number): Table {
  const sum = names.map((_, row) =>
    names.map((__, column) => runs.reduce((total, run) => total + run[row]![column]!, 0)),
  );
  const over = runs.length === 1 ? "" : `, ${runs.length} runs together`;
  return { ...confusionTable(names, sum), name: `confusion-${i + 1}`, title: `Confusion matrix: ${label}${over}` };
}
