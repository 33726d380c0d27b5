import { simplify } from "./simplify.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/**
 * Multiplications of the matrix products and convolutions that `outputs` take, by their definitions: what a lowering
 * saves, as Winograd's does, is not taken off. Twice as many are the floating-point operations in common use.
 */
export const multiplicationsOf = (outputs: readonly Tensor[]): number =>
  topological(simplify(outputs)).reduce(
    (sum, { op, inputs, attrs }) => sum + (op.multiplications?.(inputs, attrs) ?? 0),
    0,
  );
