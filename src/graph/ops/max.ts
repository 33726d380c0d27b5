import { normalizeAxes } from "../../util/shape.ts";
import { apply, defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { cast, equal } from "./compare.ts";
import { div, mul } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";

export interface MaxAttrs {
  readonly axes: readonly number[];
}

/** Largest element over `axes`, which stay as axes of length 1. Ties share the cotangent equally. */
export const maxOp = defineOp<MaxAttrs>({
  name: "max",
  shape: ([x], { axes }) => x!.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  vjp: ({ g, out, inputs: [x], attrs: { axes } }) => [
    () => {
      const hit = cast(equal(x!, out), g.dtype);
      return mul(g, div(hit, sum(hit, axes, true)));
    },
  ],
  emit: (emitter, [x], _, { axes }) => emitter.node("ReduceMax", [x!], { axes, keepdims: 1 }),
  samples: [
    { shapes: [[3, 4]], attrs: { axes: [1] }, domain: "distinct" },
    { shapes: [[2, 3, 2]], attrs: { axes: [0, 2] }, domain: "distinct" },
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
export function max(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  const all = normalizeAxes("max", axes ?? x.shape.map((_, i) => i), x.shape.length);
  const kept = apply(maxOp, [x], { axes: all });
  return keepDims
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !all.includes(i)),
      );
}
