import { testAccuracy, testLoss, trainLoss, validationAccuracy, validationLoss } from "./by-epoch.ts";
import { timePerStep } from "./cost.ts";
import { alignment, gradientAlignment, topEigenvalue } from "./curvature.ts";
import type { Figure } from "./figure.ts";

/** Every figure of a report, in its order; a new one is one entry. */
export const figures: readonly Figure[] = [
  trainLoss,
  validationLoss,
  validationAccuracy,
  testLoss,
  testAccuracy,
  topEigenvalue,
  alignment,
  gradientAlignment,
  timePerStep,
];
