import { stepCost } from "./cost.ts";
import type { StepMetricInfo } from "../optim/metrics/metric.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";
import { idOf, metricCurve, stepMetricsOf } from "./step-metrics.ts";
import type { Table } from "./table.ts";
import { overlap, type Summary, summarize } from "../util/statistics.ts";

interface Measure {
  readonly head: string;
  /** Name of its CSV columns. */
  readonly key: string;
  value(run: Run): number | undefined;
  /** Decimal places of a mean of this size, and of its deviation. */
  decimals(mean: number): number;
}

const fixed = (digits: number) => () => digits;

/** Three significant digits, and all before the point. */
const significant = (mean: number) => Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(mean) || 1))));

/** Measures of the weights exist for complete runs alone: a run that stopped half-way is no sample of the end. */
const measuresOf = (groups: readonly Group[]): readonly Measure[] => [
  {
    head: "test accuracy, %",
    key: "testAccuracyPercent",
    value: ({ record }) => scaled(record.result?.test?.accuracy, 100),
    decimals: fixed(2),
  },
  { head: "test loss", key: "testLoss", value: ({ record }) => record.result?.test?.loss, decimals: fixed(3) },
  { head: "training loss", key: "trainLoss", value: ({ record }) => record.result?.train.loss, decimals: fixed(3) },
  { head: "last λ₁", key: "lastEigenvalue", value: lastEigenvalue, decimals: significant },
  ...tabledMetrics(groups).map((info) => ({
    head: info.symbol,
    key: idOf(info),
    value: (run: Run) => stepMetricValue(run, info),
    decimals: info.figure?.within === undefined ? significant : fixed(3),
  })),
  { head: "ms per step", key: "stepMs", value: (run) => scaled(stepCost(run)?.total, 1000), decimals: significant },
  { head: "images/s", key: "imagesPerSecond", value: imagesPerSecond, decimals: significant },
];

const tabledMetrics = (groups: readonly Group[]): StepMetricInfo[] =>
  stepMetricsOf(groups).filter(({ table }) => table !== undefined);

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value * by);

/** The last estimate; one that is not positive has not found λ₁, and one of step 0 is of no trained weights. */
function lastEigenvalue({ record, refreshes }: Run): number | undefined {
  const last = refreshes.at(-1);
  return record.result !== undefined && last !== undefined && last.step > 0 && last.eigenvalue > 0
    ? last.eigenvalue
    : undefined;
}

/** The mean over all steps that have the metric, or its last value. */
function stepMetricValue(run: Run, info: StepMetricInfo): number | undefined {
  const values = metricCurve(run, info).map(({ y }) => y);
  if (run.record.result === undefined || values.length === 0) return undefined;
  return info.table === "last" ? values.at(-1) : summarize(values).mean;
}

function imagesPerSecond(run: Run): number | undefined {
  const seconds = stepCost(run)?.total;
  return seconds === undefined ? undefined : run.record.config.data.batch / seconds;
}

/** One row per group: mean ± standard deviation over seeds, and how many there are. */
export function resultsTable(groups: readonly Group[]): Table {
  const measures = measuresOf(groups);
  const summaries = groups.map(({ runs }) =>
    measures.map(({ value }) => summarize(runs.flatMap((run) => value(run) ?? []))),
  );
  const best = bestOf(
    groups,
    summaries.map(([accuracy]) => accuracy!),
  );
  const rows = groups.map(({ label, runs }, row) => [
    { text: label },
    { text: String(runs.length) },
    ...measures.map(({ decimals }, column) => ({
      text: show(summaries[row]![column]!, decimals, runs.length),
      bold: column === 0 && best.has(row),
    })),
  ]);
  const csvHead = measures.flatMap(({ key }) => [`${key}Mean`, `${key}Std`, `${key}Ci95`, `${key}N`]);
  const csvRows = groups.map(({ label, method, runs }, row) => [
    label,
    method,
    runs.length,
    ...summaries[row]!.flatMap(({ n, mean, std, ci95 }) => [n === 0 ? "" : mean, std ?? "", ci95 ?? "", n]),
  ]);
  return {
    name: "results",
    title: "Results",
    head: ["method", "seeds", ...measures.map(({ head }) => head)],
    rows,
    note: `Mean ± sample standard deviation over seeds. ${verdict(groups, summaries, best.size)}${metricNotes(groups)}time is that of a training step with the eigenvector estimates its method needs.`,
    csv: [["group", "method", "runs", ...csvHead], ...csvRows],
  };
}

const metricNotes = (groups: readonly Group[]): string =>
  tabledMetrics(groups)
    .map(
      ({ symbol, table }) =>
        `${symbol} is the ${table === "last" ? "value of the last step" : "mean over all steps"}; `,
    )
    .join("");

function show({ n, mean, std }: Summary, decimals: Measure["decimals"], runs: number): string {
  if (n === 0) return "–";
  const digits = decimals(mean);
  const text = std === undefined ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${std.toFixed(digits)}`;
  return n < runs ? `${text} (n = ${n})` : text;
}

const taskOf = ({ runs }: Group): string =>
  JSON.stringify([runs[0]!.record.data.name, runs[0]!.record.config.model.name]);

/** Rows whose 95 % interval of accuracy lies above those of all others with the same data set and model. */
function bestOf(groups: readonly Group[], accuracies: readonly Summary[]): ReadonlySet<number> {
  const rivals = (row: number) =>
    groups.flatMap((group, other) =>
      other !== row && taskOf(group) === taskOf(groups[row]!) ? [accuracies[other]!] : [],
    );
  const wins = accuracies.map(
    (own, row) => rivals(row).length > 0 && rivals(row).every((other) => own.mean > other.mean && !overlap(own, other)),
  );
  return new Set(wins.flatMap((win, row) => (win ? [row] : [])));
}

function verdict(groups: readonly Group[], summaries: readonly (readonly Summary[])[], winners: number): string {
  if (summaries.every(([accuracy]) => accuracy!.n === 0)) return "";
  const tasks = groups.map(taskOf);
  if (new Set(tasks).size === tasks.length) return "";
  if (groups.every(({ runs }) => runs.length === 1))
    return "One seed each shows nothing about differences between methods. ";
  return winners === 0
    ? "No accuracy stands out: 95 % confidence intervals overlap. "
    : "Bold: the 95 % confidence interval of accuracy lies above all others on the same task. ";
}

/** One row per run, so that every mean can be traced to what it was taken over. */
export function runsTable(groups: readonly Group[]): Table {
  const measures = measuresOf(groups);
  const head = ["run", "method", "seed", "status", "epochs", ...measures.map((measure) => measure.head), "minutes"];
  const runs = groups.flatMap(({ label, runs: own }) => own.map((run) => ({ label, run })));
  const facts = ({ label, run: { path, record, epochs } }: (typeof runs)[number]) =>
    [path, label, record.config.seed, record.status, `${epochs.length}/${record.config.train.epochs}`] as const;
  const minutes = ({ record }: Run) => scaled(record.result?.seconds, 1 / 60);
  return {
    name: "runs",
    title: "Runs",
    head,
    rows: runs.map((entry) =>
      [
        ...facts(entry).map(String),
        ...measures.map(({ value, decimals }) => shown(value(entry.run), decimals)),
        shown(minutes(entry.run), fixed(1)),
      ].map((text) => ({ text })),
    ),
    note: "One run per row; a dash is what a run does not have.",
    csv: [
      ["run", "group", "seed", "status", "epochs", ...measures.map(({ key }) => key), "minutes"],
      ...runs.map((entry) => [
        ...facts(entry),
        ...measures.map(({ value }) => value(entry.run) ?? ""),
        minutes(entry.run) ?? "",
      ]),
    ],
  };
}

const shown = (value: number | undefined, decimals: Measure["decimals"]): string =>
  value === undefined ? "–" : value.toFixed(decimals(value));
