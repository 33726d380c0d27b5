import { add, mul, sub } from "../graph/ops/elementwise.ts";
import { take } from "../graph/ops/take.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Loss } from "../optim/point.ts";
import { ConfigError } from "../util/errors.ts";
import type { Rng } from "../util/rng.ts";

/*
 * Mixup (Zhang et al. 2018): examples λx + (1 − λ)x' with targets λy + (1 − λ)y', λ ~ Beta(α, α) once for a mini-batch, and x' another
 * example of it. The loss is λ·ℓ(y) + (1 − λ)·ℓ(y'), as in the authors' code: that of mixed one-hot targets for cross-entropy, and the same gradient for
 * the squared error. λ ≥ ½ without loss of generality, as a pair comes in either order; so y is the larger part of a target.
 */

/** λ of a mini-batch: the larger of a number from Beta(α, α) and the rest to 1. */
export function mixingShare(alpha: number, random: Rng): number {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  // At a tiny α both may be 0 in floating point; nearly all of Beta(α, α) then lies at its ends.
  return a + b === 0 ? 1 : Math.max(a, b) / (a + b);
}

/** A number from the gamma distribution of scale 1: Marsaglia and Tsang (2000), with their step up for shapes below 1. */
function gamma(shape: number, random: Rng): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = random.normal();
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < z ** 2 / 2 + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** Each example's partner x': the next one of the mini-batch, whose order is random and new in every epoch. */
function partners(x: Tensor): Tensor {
  const count = x.shape[0]!;
  if (count < 2)
    throw new ConfigError(
      "data.mixup mixes the examples of a mini-batch, and there is one",
      { count },
      "choose a larger data.batch, or fewer micro-batches",
    );
  return take(
    x,
    0,
    Int32Array.from({ length: count }, (_, i) => (i + 1) % count),
  );
}

/** λa + (1 − λ)b. */
const between = (share: Tensor, a: Tensor, b: Tensor): Tensor => add(mul(share, a), mul(sub(1, share), b));

export const mixedExamples = (x: Tensor, share: Tensor): Tensor => between(share, x, partners(x));

/** The mixed loss, from the mean loss of θ against some targets. */
export const mixedLoss =
  (against: (targets: Tensor) => Loss, targets: Tensor, share: Tensor): Loss =>
  (theta) =>
    between(share, against(targets)(theta), against(partners(targets))(theta));
