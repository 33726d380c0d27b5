import { ShapeError } from "../../util/errors.ts";
import { showShape } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";

export interface TakeAttrs {
  readonly axis: number;
  /** Positions along the axis; -1 takes zeros. */
  readonly indices: Int32Array;
}

/** Slices of `axis` at constant positions, in any order, any number of times. */
export const takeOp = defineOp<TakeAttrs>({
  name: "take",
  shape: ([x], { axis, indices }) => {
    const length = x!.shape[axis]!;
    const bad = firstOutside(indices, length);
    if (bad !== undefined)
      throw new ShapeError(`take: index ${bad} outside axis ${axis} of ${showShape(x!.shape)}`, { bad, axis });
    return x!.shape.map((d, i) => (i === axis ? indices.length : d));
  },
  vjp: ({ g, inputs: [x], attrs: { axis, indices } }) => [() => putBack(g, axis, indices, x!.shape[axis]!)],
  emit: (emitter, [x], node, { axis, indices }) => {
    const shape = node.inputs[0]!.shape;
    if (!indices.includes(-1))
      return emitter.node("Gather", [x!, emitter.constant(indices, [indices.length], "i32")], { axis });
    const zeros = emitter.constant(
      0,
      shape.map((d, i) => (i === axis ? 1 : d)),
      node.dtype,
    );
    const padded = emitter.node("Concat", [x!, zeros], { axis });
    const last = indices.map((i) => (i < 0 ? shape[axis]! : i));
    return emitter.node("Gather", [padded, emitter.constant(last, [last.length], "i32")], { axis });
  },
  samples: [
    sample({ axis: 0, indices: Int32Array.of(2, 0, -1, 2) }, [4, 3]),
    sample({ axis: 1, indices: Int32Array.of(0, 2, 4) }, [2, 5, 2]),
  ],
});

/** A plain loop: a long table is checked again by every rule that makes its node anew. */
function firstOutside(indices: Int32Array, length: number): number | undefined {
  for (const i of indices) if (i < -1 || i >= length) return i;
  return undefined;
}

/** For each of `length` positions, the places in `indices` that name it, padded with -1 to the longest list. */
export function occurrences(
  indices: Int32Array,
  length: number,
): { readonly table: Int32Array; readonly width: number } {
  const counts = new Int32Array(length);
  for (const i of indices) if (i >= 0) counts[i]!++;
  const width = counts.reduce((a, b) => Math.max(a, b), 1);
  const table = new Int32Array(length * width).fill(-1);
  counts.fill(0);
  indices.forEach((i, at) => {
    if (i >= 0) table[i * width + counts[i]!++] = at;
  });
  return { table, width };
}

/** The adjoint of take: adds each slice of `x` onto the position it was taken from. */
export function putBack(x: Tensor, axis: number, indices: Int32Array, length: number): Tensor {
  const { table, width } = occurrences(indices, length);
  const gathered = take(x, axis, table);
  if (width === 1) return gathered;
  const shape = [...x.shape.slice(0, axis), length, width, ...x.shape.slice(axis + 1)];
  return sum(reshape(gathered, shape), [axis + 1]);
}

/**
 * Slices of `axis` at constant positions, in any order and any number of times; position −1 takes zeros.
 *
 * @throws ShapeError where a position lies outside the axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: take(x, 0, Int32Array.of(2, 0, -1)) }), { x: { shape: [3] } });
 * console.log((await f.run({ x: [5, 6, 7] })).y); // [7, 5, 0]
 * ```
 */
export const take = (x: Tensor, axis: number, indices: Int32Array): Tensor => apply(takeOp, [x], { axis, indices });

/** Every `step`-th slice of an axis from `start`, `count` of them. */
export const stride = (x: Tensor, axis: number, start: number, step: number, count: number): Tensor =>
  step === 1 && start === 0 && count === x.shape[axis]
    ? x
    : take(
        x,
        axis,
        Int32Array.from({ length: count }, (_, i) => start + i * step),
      );
