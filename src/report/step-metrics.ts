import { stepMetrics } from "../optim/metrics/index.ts";
import type { StepMetricInfo } from "../optim/metrics/metric.ts";
import type { Point } from "./curves.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";

/** The built-in metrics, and those that the runs brought with them. */
export function stepMetricsOf(groups: readonly Group[]): StepMetricInfo[] {
  const records = groups.flatMap(({ runs }) => runs.map(({ record }) => record));
  // The alignment of the perturbation, which the paper is about, comes before what it is made of.
  const builtIn: readonly StepMetricInfo[] = Object.values(stepMetrics).toReversed();
  const all = [...builtIn, ...records.flatMap((record) => record.metrics ?? [])];
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
}

/** Name of the files and CSV columns of a metric. */
export const idOf = ({ id, name }: StepMetricInfo): string => id ?? name;

/** A metric over the steps of a run that have it as a number. */
export const metricCurve = ({ steps }: Run, { name }: StepMetricInfo): Point[] =>
  steps.flatMap((line) => {
    const fields: Readonly<Record<string, unknown>> = line;
    const y = fields[name];
    return typeof y === "number" && Number.isFinite(y) ? [{ x: line.step, y }] : [];
  });
