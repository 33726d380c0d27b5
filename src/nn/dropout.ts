import { cast, greaterEqual } from "../graph/ops/compare.ts";
import { mul } from "../graph/ops/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ConfigError } from "../util/errors.ts";
import type { Shape } from "../util/shape.ts";
import type { Scope } from "./scope.ts";

/**
 * Dropout (Srivastava et al. 2014), of the shape of x: each number is 0 with probability `rate`, else over 1 − rate. With `over`, a shape that broadcasts to x's,
 * all that one number of it stands for are dropped together. The mask belongs to the step: a SAM step is the gradient of one loss, with the same mask at θ and θ + ε,
 * and so are Hessian-vector products. Where a network is measured or predicts, x stays as it is.
 *
 * @throws ConfigError where the rate is outside [0, 1)
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), dropout(scope, relu(linear(scope.at("in"), x, 16)), 0.5), 1);
 * const step = await compileStep({ network, inputs: { x: [4, 2], y: [4, 1] }, loss: "mse", method: "sam" });
 * console.log(step.model.draws); // 64
 * ```
 */
export function dropout(scope: Scope, x: Tensor, rate: number, over: Shape = x.shape): Tensor {
  if (!(rate >= 0 && rate < 1))
    throw new ConfigError(`a rate of dropout is ${rate}, expected a number in [0, 1)`, { rate }, "0 drops nothing");
  if (rate === 0) return x;
  const drawn = scope.uniform(over);
  if (drawn === undefined) return x;
  return mul(x, mul(cast(greaterEqual(drawn, rate), x.dtype), 1 / (1 - rate)));
}

/**
 * Stochastic depth (Huang et al. 2016), of the shape of x [N, …]: what a residual branch gives for an example is 0 with probability `rate`, else over 1 − rate, as in
 * torchvision's StochasticDepth in mode "row" and timm's DropPath. Add it to the branch's input. Masks are {@link dropout}'s.
 *
 * @throws ConfigError where the rate is outside [0, 1)
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), add(x, stochasticDepth(scope, linear(scope.at("in"), x, 8), 0.1)), 1);
 * const step = await compileStep({ network, inputs: { x: [4, 8], y: [4, 1] }, loss: "mse", method: "sam" });
 * console.log(step.model.draws); // 4
 * ```
 */
export const stochasticDepth = (scope: Scope, x: Tensor, rate: number): Tensor =>
  dropout(scope, x, rate, [x.shape[0]!, ...x.shape.slice(1).map(() => 1)]);
