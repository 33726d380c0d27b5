import { timePerStep } from "./cost.ts";
import { alignment, topEigenvalue } from "./curvature.ts";
import type { Figure } from "./figure.ts";
import { trainLoss, valAccuracy, valLoss } from "./loss.ts";

/** Every figure of a report, in its order; a new one is one entry. */
export const figures: readonly Figure[] = [valAccuracy, trainLoss, valLoss, topEigenvalue, alignment, timePerStep];
