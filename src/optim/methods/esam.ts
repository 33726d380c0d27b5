import { cast, equal, greater, greaterEqual } from "../../graph/ops/compare.ts";
import { add, div, maximum, minimum, mul, stopGradient, sub } from "../../graph/ops/elementwise.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { sum } from "../../graph/ops/reduce.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { ConfigError } from "../../util/errors.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod, gradAt } from "../method.ts";
import type { Loss } from "../point.ts";
import { unit } from "../vector.ts";

/** From this share on the authors' code takes all examples. */
const ALL = 0.99;

/** The positions of the `count` largest of x [n], the largest first; of equal ones the earlier, i32 [count]. */
function largest(x: Tensor, count: number): Tensor {
  const n = x.shape[0]!;
  const numbers = (length: number) => Float64Array.from({ length }, (_, i) => i);
  const [own, other] = [reshape(x, [n, 1]), reshape(x, [1, n])];
  const at = constant(numbers(n), [n], x.dtype);
  const earlier = cast(greater(reshape(at, [n, 1]), reshape(at, [1, n])), x.dtype);
  const before = add(cast(greater(other, own), x.dtype), mul(cast(equal(other, own), x.dtype), earlier));
  const rank = sum(before, [1]);
  const ranks = reshape(constant(numbers(count), [count], x.dtype), [count, 1]);
  return cast(sum(mul(cast(equal(ranks, reshape(rank, [1, n])), x.dtype), reshape(at, [1, n])), [1]), "i32");
}

/** The mean loss of the examples whose loss rises most from θ to a point; all of them where γ says so. */
function ofRising(f: Loss, theta: Tensor, point: Tensor, gamma: Operand): Loss {
  if (typeof gamma === "number" && gamma >= ALL) return f;
  if (f.examples === undefined || typeof gamma !== "number")
    throw new ConfigError(
      `esam with method.gamma below ${ALL} chooses examples by their losses, and those are not known here`,
      { gamma },
      "leave out train.accumulate, method.m, data.mixup and dropout, take a loss that is a mean over examples, or set method.gamma=1",
    );
  const { losses, of } = f.examples;
  const rise = sub(losses(point), losses(theta));
  // Those above the ⌊γn⌋-th largest, as in the authors' code: one fewer.
  const count = Math.floor(gamma * rise.shape[0]!) - 1;
  if (count < 1)
    throw new ConfigError(
      `esam takes ⌊γn⌋ − 1 of n examples: none of ${rise.shape[0]} at method.gamma=${gamma}`,
      { gamma, examples: rise.shape[0] },
      "make data.batch or method.gamma larger",
    );
  return of(stopGradient(largest(rise, count)));
}

/**
 * ESAM (Du et al. 2022), as in the authors' code (dydjw9/Efficient_SAM): ε is of the parameter tensors that a draw keeps with probability β, all at the first step, and
 * longer by 1/β; the gradient at θ + ε is of the examples whose loss rises more than the ⌊γn⌋-th largest rise. Among equal rises ours takes as many as without.
 * [C] The gradient of tensors that are left out is computed nevertheless, so β saves nothing here. Defaults of β and γ are the authors' for CIFAR, not checked against their runs.
 */
export const esam = defineMethod({
  name: "esam",
  title: "ESAM",
  summary:
    "∇f₊(θ + ρ/β·unit(b·g)), b = 1 with probability β for each tensor, else 0;  f₊ of the share γ of examples whose loss rises most",
  source: "Du et al. 2022",
  cost: "2, the second of a share γ of the examples, after a forward pass of all",
  colour: "#8c6d31",
  hyper: {
    rho: radius(),
    beta: real(0.6, "probability β that a tensor is perturbed", { min: 0.01, symbol: "β" }),
    gamma: real(0.5, "share γ of the examples of the second gradient", { min: 0, symbol: "γ", fixed: true }),
  },
  needs: { lots: true },
  unaligned: "its ε is of some parameters alone, and v is not",
  ascent: ({ g, lots, step, rho, beta }) => {
    const kept = maximum(cast(greaterEqual(beta, lots), g.dtype), sub(1, minimum(step, 1)));
    return mul(div(rho, minimum(beta, 1)), unit(mul(kept, g)));
  },
  combine: ({ f, theta, epsilon, ahead, gamma }) => {
    const point = add(theta, epsilon);
    const rising = ofRising(f, theta, point, gamma);
    return { direction: rising === f ? ahead : gradAt(rising, point) };
  },
});
