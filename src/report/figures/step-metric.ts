import type { StepMetricInfo } from "../../optim/metrics/metric.ts";
import { binned } from "../curves.ts";
import type { Group } from "../groups.ts";
import { idOf, metricCurve } from "../step-metrics.ts";
import type { Figure } from "./figure.ts";
import { anyPoint, lines } from "./lines.ts";

/** Bins of a curve over steps. */
const BINS = 20;

/** The figure that a metric of training steps asks for, averaged in bins over the steps of the longest run; null if it asks for none. */
export function stepMetricFigure(info: StepMetricInfo): Figure | null {
  const { figure, symbol } = info;
  if (figure === undefined) return null;
  const { title, shows, needs, within, zero = false, linear = false } = figure;
  return {
    name: idOf(info),
    title,
    lacks: (groups) =>
      anyPoint(groups, (run) => metricCurve(run, info)) ? "one step is no curve" : `no run has ${needs}`,
    draw: (groups) => {
      const total = stepsOf(groups);
      const bin = Math.max(1, Math.round(total / BINS));
      const smoothing = bin === 1 ? "each step" : `averaged over bins of about ${bin} steps`;
      return lines(groups, (run) => binned(metricCurve(run, info), total, BINS), {
        ...(within ? { within } : {}),
        zero,
        linear,
        title,
        y: symbol,
        x: "step",
        shows: `${shows}, ${smoothing}`,
      });
    },
  };
}

const stepsOf = (groups: readonly Group[]): number =>
  1 + Math.max(0, ...groups.flatMap(({ runs }) => runs.map(({ steps }) => steps.at(-1)?.step ?? 0)));
