import { greater, where } from "../../graph/ops/compare.ts";
import { minimum } from "../../graph/ops/elementwise.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { isMatrix, type Parameter, partOf, spreadTensors } from "../parameters.ts";
import { norm } from "../vector.ts";

/**
 * A factor for each number of θ that is the same throughout a parameter: what `of` makes of the norms of a weight and of a direction there. It is 1 for
 * vectors (biases, norms), where one of the norms is 0, and for frozen parameters.
 */
export function trustRatio(
  parameters: readonly Parameter[],
  theta: Tensor,
  direction: Tensor,
  of: (weight: Tensor, direction: Tensor, parameter: Parameter) => Tensor,
): Tensor {
  const one = constant(1, [], theta.dtype);
  return spreadTensors(parameters, (parameter) => {
    if (!isMatrix(parameter) || !parameter.trained) return one;
    const [weight, length] = [norm(partOf(theta, parameter)), norm(partOf(direction, parameter))];
    return where(greater(minimum(weight, length), 0), of(weight, length, parameter), one);
  });
}
