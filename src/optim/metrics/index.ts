import { cosEpsV, cosGradV } from "./alignment.ts";
import { gradNorm } from "./grad-norm.ts";
import type { StepMetric } from "./metric.ts";

/** The numbers that every step records besides its loss, in the order of its line; a new one is one file and one line. */
export const stepMetrics = { gradNorm, cosGradV, cosEpsV } as const satisfies Readonly<Record<string, StepMetric>>;
