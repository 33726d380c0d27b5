import { ShapeError } from "../../util/errors.ts";
import { type Shape, sameShape, showShape, sizeOf } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The same elements in row-major order under another shape. */
export const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: "reshape",
  shape: ([x], { shape }) => {
    if (sizeOf(x!.shape) !== sizeOf(shape))
      throw new ShapeError(
        `reshape: ${showShape(x!.shape)} has ${sizeOf(x!.shape)} elements, ${showShape(shape)} has ${sizeOf(shape)}`,
        { from: x!.shape, to: shape },
      );
    return shape;
  },
  vjp: ({ g, inputs: [x] }) => [() => reshape(g, x!.shape)],
  emit: (emitter, [x], _, { shape }) => emitter.node("Reshape", [x!, emitter.shape(shape)]),
  view: true,
  samples: [sample({ shape: [3, 4] }, [2, 6]), sample({ shape: [] }, [1])],
});

/**
 * The same elements in row-major order under another shape. One axis may be −1, which takes what is left.
 *
 * @throws ShapeError where the numbers of elements differ
 * @example
 * ```ts
 * const x = input("x", [2, 3, 4]);
 * console.log(reshape(x, [2, -1]).shape); // [2, 12]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((d) => d !== -1));
  const full = shape.map((d) => (d === -1 ? sizeOf(x.shape) / known : d));
  return sameShape(x.shape, full) ? x : apply(reshapeOp, [x], { shape: full });
}
