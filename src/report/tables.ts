import { howTimed, stepCost } from "./cost.ts";
import type { StepMetricInfo } from "../optim/metrics/metric.ts";
import type { Group } from "./groups.ts";
import { type Compared, comparisonOf, finite, generalizationGap, testAccuracy, testLoss, winnersOf } from "./pairs.ts";
import type { Run } from "./read-run.ts";
import { idOf, metricCurve, stepMetricsOf } from "./step-metrics.ts";
import type { Table } from "./table.ts";
import { type ProbeMeasure, probeCurve, probedHow, probeMeasures } from "./probe-measures.ts";
import { methodOf } from "./method.ts";
import { type Summary, summarize } from "../util/statistics.ts";

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
  measureOf(testAccuracy),
  measureOf(testLoss),
  { head: "training loss", key: "trainLoss", value: ({ record }) => record.result?.train.loss, decimals: fixed(3) },
  measureOf(generalizationGap),
  ...probeMeasures.flatMap((measure): Measure[] =>
    measure.table === undefined
      ? []
      : [
          {
            head: measure.table === "end" ? `${measure.symbol} at the end` : measure.symbol,
            key: `${measure.id}${measure.table === "end" ? "AtEnd" : ""}`,
            value: (run) => probeValue(run, measure),
            decimals: measure.linear ? fixed(2) : measure.within === undefined ? significant : fixed(3),
          },
        ],
  ),
  { head: "steps along v̂, %", key: "stepsAlongV", value: stepsAlongV, decimals: fixed(0) },
  ...tabledMetrics(groups).map((info) => ({
    head: info.symbol,
    key: idOf(info),
    value: (run: Run) => stepMetricValue(run, info),
    decimals: info.figure?.within === undefined ? significant : fixed(3),
  })),
  { head: "ms per step", key: "stepMs", value: (run) => scaled(stepCost(run)?.total, 1000), decimals: significant },
];

const measureOf = ({ head, column, value, digits }: Compared): Measure => ({
  head,
  key: column,
  value,
  decimals: fixed(digits),
});

const tabledMetrics = (groups: readonly Group[]): StepMetricInfo[] =>
  stepMetricsOf(groups).filter(({ table }) => table !== undefined);

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value * by);

/** The mean over all looks of the probe that have the number, or its value at the end of a run that was measured there. */
function probeValue(run: Run, measure: ProbeMeasure): number | undefined {
  const curve = probeCurve(run, measure);
  if (run.record.result === undefined || curve.length === 0) return undefined;
  if (measure.table === "mean") return summarize(curve.map(({ y }) => y)).mean;
  const last = curve.at(-1)!;
  return last.x === run.epochs.at(-1)?.step ? last.y : undefined;
}

/** Part of the steps of a method with an eigenvector of its own that perturbed along it; in the others it was SAM. */
function stepsAlongV({ record, steps }: Run): number | undefined {
  if (record.result === undefined || !methodOf(record).eigenvector || steps.length === 0) return undefined;
  return (100 * steps.filter((line) => typeof line.cosEpsV === "number").length) / steps.length;
}

/** The mean over all steps that have the metric, or its last value. */
function stepMetricValue(run: Run, info: StepMetricInfo): number | undefined {
  const values = metricCurve(run, info).map(({ y }) => y);
  if (run.record.result === undefined || values.length === 0) return undefined;
  return info.table === "last" ? values.at(-1) : summarize(values).mean;
}

/** One row per group: mean ± standard deviation over seeds, and how many there are. */
export function resultsTable(groups: readonly Group[], comparison = comparisonOf(groups)): Table {
  const measures = measuresOf(groups);
  const summaries = groups.map(({ runs }) =>
    measures.map(({ value }) => summarize(runs.flatMap((run) => finite(value(run))))),
  );
  const shownOf = <T>(columns: readonly T[]): T[] =>
    columns.filter((_, column) => summaries.some((row) => row[column]!.n > 0));
  const compared = comparison.measures[0]?.column;
  const best = winnersOf(groups, comparison);
  const rows = groups.map((group, row) => [
    { text: group.label },
    { text: String(group.runs.length) },
    ...shownOf(
      measures.map(({ key, decimals }, column) => ({
        text: show(summaries[row]![column]!, decimals, group.runs.length),
        bold: key === compared && best.has(group),
      })),
    ),
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
    head: ["method", "seeds", ...shownOf(measures.map(({ head }) => head))],
    rows,
    note: [
      spreadNote(groups),
      best.size === 0 ? "" : BEST,
      gapNote(groups),
      probeNote(groups),
      ...metricNotes(groups),
      timeNote(groups),
    ]
      .filter((sentence) => sentence !== "")
      .join(" "),
    csv: [["group", "method", "runs", ...csvHead], ...csvRows],
  };
}

const BEST = "Bold: better than every other on the same task, paired by seed.";

function spreadNote(groups: readonly Group[]): string {
  const counts = groups.map(({ runs }) => runs.length);
  if (Math.max(...counts) === 1)
    return groups.length === 1
      ? "One seed, so there is no deviation."
      : "One seed each, so there are no deviations, and nothing is known of differences between groups.";
  return `Mean ± sample standard deviation over seeds${Math.min(...counts) === 1 ? "; one seed has no deviation" : ""}.`;
}

const gapNote = (groups: readonly Group[]): string =>
  groups.some(({ runs }) => runs.some((run) => generalizationGap.value(run) !== undefined))
    ? "The generalization gap is test loss less training loss, the mean over the steps of the last epoch."
    : "";

/** How the probe's columns were measured. */
function probeNote(groups: readonly Group[]): string {
  if (!groups.some(({ runs }) => runs.some(({ probes }) => probes.length > 0))) return "";
  return `λ₁ and v₁ were measured ${probedHow(groups)}; |cos(ε, v₁)| and v̂ᵀH̄v̂ / λ₁ are means over the looks.`;
}

const metricNotes = (groups: readonly Group[]): string[] =>
  tabledMetrics(groups)
    .filter((info) => groups.some(({ runs }) => runs.some((run) => metricCurve(run, info).length > 0)))
    .map(
      ({ symbol, table }) => `${symbol} is the ${table === "last" ? "value of the last step" : "mean over all steps"}.`,
    );

const timeNote = (groups: readonly Group[]): string =>
  groups.some(({ runs }) => runs.some((run) => stepCost(run) !== undefined))
    ? `Time is that of a training step with the eigenvector estimates its method needs: ${howTimed(groups)}.`
    : "";

function show({ n, mean, std }: Summary, decimals: Measure["decimals"], runs: number): string {
  if (n === 0) return "–";
  const digits = decimals(mean);
  const text = std === undefined ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${std.toFixed(digits)}`;
  return n < runs ? `${text} (n = ${n})` : text;
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
        ...measures.map(({ value }) => finite(value(entry.run))[0] ?? ""),
        minutes(entry.run) ?? "",
      ]),
    ],
  };
}

const shown = (value: number | undefined, decimals: Measure["decimals"]): string =>
  value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(decimals(value));
