import type { Tensor } from "../graph/tensor.ts";
import type { Method } from "../optim/method.ts";
import type { Point, Values } from "../optim/point.ts";
import { seriesSum } from "../optim/series.ts";
import { ConfigError } from "../util/errors.ts";
import { namesOf } from "../util/names.ts";

/** One stochastic differential equation for a method: dX = −E[h] dt + √η·Cov(h)^½ dW, named by its h. */
export interface SdeVariant {
  /** As figures and tables call it. */
  readonly title: string;
  /** h for SAM. */
  readonly summary: string;
  /** h of one mini-batch, [d]. */
  drift(method: Method, at: Point, values: Values): Tensor;
}

const truncated =
  (order: 0 | 1 | 2): SdeVariant["drift"] =>
  (method, at, values) =>
    seriesSum(seriesOf(method), order, at, values);

/** The equations; a new one is one entry. */
export const sdeVariants = {
  sgd: { title: "SGD SDE", summary: "g", drift: truncated(0) },
  second: { title: "second-order SDE", summary: "g + ρHĝ", drift: truncated(1) },
  third: { title: "third-order SDE", summary: "g + ρHĝ + (ρ²/2)T[ĝ,ĝ]", drift: truncated(2) },
  exact: {
    title: "exact-drift SDE",
    summary: "∇f(θ + ρĝ)",
    drift: (method, at, values) => method.descend(at, values).direction,
  },
} as const satisfies Readonly<Record<string, SdeVariant>>;

/** Name of an SDE variant. */
export type SdeVariantName = keyof typeof sdeVariants;

/** The names of the SDE variants. */
export const sdeVariantNames = namesOf(sdeVariants);

/** The series of a method, or a ConfigError: an SDE describes methods whose direction depends on θ and one mini-batch alone. */
export function seriesOf({ name, series, state }: Method) {
  if (series === undefined || Object.keys(state).length > 0)
    throw new ConfigError(
      `method ${name} has no SDE: ${series === undefined ? "it declares no perturbation or series" : "it keeps state from step to step"}`,
      { method: name },
      "declare it with `ascent` or `series`",
    );
  return series;
}
