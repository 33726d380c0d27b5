import type { Group } from "../groups.ts";
import { probeMeasures } from "../probe-measures.ts";
import { stepMetricsOf } from "../step-metrics.ts";
import { testAccuracy, testLoss, trainLoss, validationAccuracy, validationLoss } from "./by-epoch.ts";
import type { Figure } from "./figure.ts";
import { stepMetricFigure } from "./step-metric.ts";
import { timePerStep } from "./time-per-step.ts";
import { probeFigure } from "./probe.ts";
import { sharpnessByLoss } from "./sharpness-by-loss.ts";

/** Every figure of a report of these groups, in its order; a new one is one entry. */
export const figuresOf = (groups: readonly Group[]): Figure[] => [
  trainLoss,
  validationLoss,
  validationAccuracy,
  testLoss,
  testAccuracy,
  ...probeMeasures.map(probeFigure),
  sharpnessByLoss,
  ...stepMetricsOf(groups).flatMap((info) => stepMetricFigure(info) ?? []),
  timePerStep,
];
