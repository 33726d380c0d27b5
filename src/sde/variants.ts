import type { Tensor } from "../graph/tensor.ts";
import type { DescentArgs, TrainingMethodName } from "../optim/methods.ts";
import { exact, truncated } from "./expansion.ts";
import { namesOf } from "../util/names.ts";

/** One stochastic differential equation for a method: dX = −E[h] dt + √η·Cov(h)^½ dW, named by its h. */
export interface SdeVariant {
  /** As figures and tables call it. */
  readonly title: string;
  /** h for SAM. */
  readonly summary: string;
  /** h of one mini-batch. */
  drift(method: TrainingMethodName, args: DescentArgs): Tensor;
}

/** The equations; a new one is one entry. */
export const sdeVariants = {
  sgd: { title: "SGD SDE", summary: "g", drift: (method, args) => truncated(method, 0, args) },
  second: { title: "second-order SDE", summary: "g + ρHĝ", drift: (method, args) => truncated(method, 1, args) },
  third: {
    title: "third-order SDE",
    summary: "g + ρHĝ + (ρ²/2)T[ĝ,ĝ]",
    drift: (method, args) => truncated(method, 2, args),
  },
  exact: { title: "exact-drift SDE", summary: "∇f(θ + ρĝ)", drift: exact },
} as const satisfies Readonly<Record<string, SdeVariant>>;

export type SdeVariantName = keyof typeof sdeVariants;

export const sdeVariantNames = namesOf(sdeVariants);
