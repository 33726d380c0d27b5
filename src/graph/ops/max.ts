import { defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { cast, equal } from "./compare.ts";
import { div, mul } from "./elementwise.ts";
import { type ReduceAttrs, reduced, reducedShape, sum } from "./reduce.ts";

/** Largest element over `axes`, which stay as axes of length 1. Ties share the cotangent equally. */
export const maxOp = defineOp<ReduceAttrs>({
  name: "max",
  shape: reducedShape,
  vjp: ({ g, out, inputs: [x], attrs: { axes } }) => [
    () => {
      const hit = cast(equal(x!, out), g.dtype);
      return mul(g, div(hit, sum(hit, axes, true)));
    },
  ],
  emit: (emitter, [x], _, { axes }) => emitter.node("ReduceMax", [x!], { axes, keepdims: 1 }),
  samples: [
    { ...sample({ axes: [1] }, [3, 4]), domain: "distinct" },
    { ...sample({ axes: [0, 2] }, [2, 3, 2]), domain: "distinct" },
  ],
});

/**
 * Largest element over `axes` (all by default), which disappear unless `keepDims`. Ties share the derivative equally.
 *
 * @throws ShapeError where x has no such axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: max(x, [1]) }), { x: { shape: [2, 2] } });
 * console.log((await f.run({ x: [1, 5, 7, 3] })).y); // [5, 7]
 * ```
 */
export const max = (x: Tensor, axes?: readonly number[], keepDims = false): Tensor => reduced(maxOp, x, axes, keepDims);
