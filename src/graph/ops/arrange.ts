import { ShapeError } from "../../util/errors.ts";
import { normalizeAxes, showShape } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Emitter, Target, Tensor } from "../tensor.ts";

/** Output axis i is input axis perm[i]. */
export const transposeOp = defineOp<{ readonly perm: readonly number[] }>({
  name: "transpose",
  shape: ([x], { perm }) => perm.map((axis) => x!.shape[axis]!),
  vjp: ({ g, attrs: { perm } }) => [() => transpose(g, inversePermutation(perm))],
  emit: (emitter, [x], node, { perm }) =>
    gathersBlocks(emitter.target, node, perm)
      ? emitGatheredBlocks(emitter, x!, node)
      : emitter.node("Transpose", [x!], { perm }),
  samples: [
    sample({ perm: [1, 0] }, [2, 3]),
    sample({ perm: [1, 0, 2] }, [5, 2, 16]),
    sample({ perm: [2, 0, 3, 1] }, [2, 3, 4, 1]),
    sample({ perm: [2, 3, 0, 1] }, [2, 3, 4, 5]),
  ],
});

/** Blocks of channels, position by position, to positions, block by block: [M, C/B, B] → [C/B, M, B]. */
const gathersBlocks = ({ block }: Target, { shape, dtype }: Tensor, perm: readonly number[]): boolean =>
  dtype === "f32" && perm.length === 3 && perm[0] === 1 && perm[1] === 0 && shape[2] === block;

/** ONNX Runtime has this transposition for its blocked convolution, and takes two thirds of the time of any other for it. */
function emitGatheredBlocks(emitter: Emitter, x: string, { shape }: Tensor): string {
  const [blocks, rows, block] = shape as [number, number, number];
  const image = emitter.node("Reshape", [x, emitter.shape([1, 1, rows, blocks * block])]);
  const y = emitter.node("ReorderInput", [image], { channels_last: 1 }, "com.microsoft.nchwc");
  return emitter.node("Reshape", [y, emitter.shape(shape)]);
}

/** Joins along `axis`; all other axes agree. */
export const concatOp = defineOp<{ readonly axis: number }>({
  name: "concat",
  shape: (inputs, { axis }) => {
    const first = inputs[0]!;
    for (const x of inputs)
      if (x.shape.length !== first.shape.length || x.shape.some((d, i) => i !== axis && d !== first.shape[i]))
        throw new ShapeError(
          `concat: ${showShape(first.shape)} and ${showShape(x.shape)} differ outside axis ${axis}`,
          { a: first.shape, b: x.shape, axis },
        );
    const length = inputs.reduce((total, x) => total + x.shape[axis]!, 0);
    return first.shape.map((d, i) => (i === axis ? length : d));
  },
  vjp: ({ g, inputs, attrs: { axis } }) => {
    let at = 0;
    return inputs.map((x) => {
      const start = at;
      at += x.shape[axis]!;
      return () => slice(g, axis, start, start + x.shape[axis]!);
    });
  },
  emit: (emitter, inputs, _, { axis }) => emitter.node("Concat", inputs, { axis }),
  samples: [
    sample({ axis: 0 }, [2, 3], [4, 3]),
    sample({ axis: 1 }, [2, 1, 2], [2, 3, 2], [2, 2, 2]),
    sample({ axis: 0 }, [3]),
  ],
});

export interface SliceAttrs {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** Elements start … end-1 of one axis. */
export const sliceOp = defineOp<SliceAttrs>({
  name: "slice",
  shape: ([x], { axis, start, end }) => {
    if (start < 0 || end > x!.shape[axis]! || start > end)
      throw new ShapeError(`slice: ${start}…${end} of axis ${axis} does not fit ${showShape(x!.shape)}`);
    return x!.shape.map((d, i) => (i === axis ? end - start : d));
  },
  vjp: ({ g, inputs: [x], attrs: { axis, start, end } }) => [() => pad(g, axis, start, x!.shape[axis]! - end)],
  emit: (emitter, [x], _, { axis, start, end }) =>
    // Of many places in memory ONNX Runtime copies one after another in a Slice, and several at once in a Gather.
    axis > 0 && end - start === 1
      ? emitter.node("Gather", [x!, emitter.constant(Int32Array.of(start), [1], "i32")], { axis })
      : emitter.node("Slice", [x!, emitter.ints([start]), emitter.ints([end]), emitter.ints([axis])]),
  samples: [sample({ axis: 0, start: 1, end: 4 }, [5, 3]), sample({ axis: 1, start: 3, end: 4 }, [2, 4])],
});

export interface PadAttrs {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
  readonly value: number;
}

/** `before` and `after` elements of `value` around one axis. */
export const padOp = defineOp<PadAttrs>({
  name: "pad",
  shape: ([x], { axis, before, after }) => x!.shape.map((d, i) => (i === axis ? before + d + after : d)),
  vjp: ({ g, inputs: [x], attrs: { axis, before } }) => [() => slice(g, axis, before, before + x!.shape[axis]!)],
  emit: (emitter, [x], node, { axis, before, after, value }) => {
    const rank = node.shape.length;
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = before;
    pads[rank + axis] = after;
    return emitter.node("Pad", [x!, emitter.ints(pads), emitter.constant(value, [], node.dtype)]);
  },
  samples: [
    sample({ axis: 0, before: 1, after: 2, value: 0 }, [2, 3]),
    sample({ axis: 1, before: 0, after: 1, value: -1.5 }, [2, 3]),
  ],
});

const axisOf = (op: string, axis: number, x: Tensor): number => normalizeAxes(op, [axis], x.shape.length)[0]!;

export const inversePermutation = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/**
 * x with its axes in the order `perm`: axis i of the result is axis perm[i] of x. Without `perm` they are reversed.
 *
 * @throws ShapeError where `perm` is no permutation of the axes
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: transpose(x) }), { x: { shape: [2, 3] } });
 * console.log((await f.run({ x: [1, 2, 3, 4, 5, 6] })).y); // [1, 4, 2, 5, 3, 6]
 * ```
 */
export function transpose(x: Tensor, perm?: readonly number[]): Tensor {
  const full = perm ?? x.shape.map((_, i) => x.shape.length - 1 - i);
  if (normalizeAxes("transpose", full, x.shape.length).length !== x.shape.length)
    throw new ShapeError(`transpose: [${full.join(", ")}] is no permutation of ${x.shape.length} axes`);
  return full.every((axis, i) => axis === i) ? x : apply(transposeOp, [x], { perm: full });
}

/**
 * Joins tensors along `axis` (0; negative axes count from the end). The other axes must agree.
 *
 * @throws ShapeError where another axis differs
 * @example
 * ```ts
 * const f = await compile(({ x, y }) => ({ z: concat([x, y]) }), { x: { shape: [1, 2] }, y: { shape: [2, 2] } });
 * console.log((await f.run({ x: [1, 2], y: [3, 4, 5, 6] })).z); // [1, 2, 3, 4, 5, 6]
 * ```
 */
export const concat = (inputs: readonly Tensor[], axis = 0): Tensor =>
  inputs.length === 1 ? inputs[0]! : apply(concatOp, inputs, { axis: axisOf("concat", axis, inputs[0]!) });

/**
 * Elements start … end − 1 of one axis; the axis stays, with length end − start.
 *
 * @throws ShapeError where the range does not lie within the axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: slice(x, 0, 1, 3) }), { x: { shape: [4] } });
 * console.log((await f.run({ x: [5, 6, 7, 8] })).y); // [6, 7]
 * ```
 */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const at = axisOf("slice", axis, x);
  return start === 0 && end === x.shape[at] ? x : apply(sliceOp, [x], { axis: at, start, end });
}

/**
 * x with `before` and `after` elements of `value` (0) around one axis.
 *
 * @throws ShapeError where x has no such axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: pad(x, 0, 1, 2) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [7, 8] })).y); // [0, 7, 8, 0, 0]
 * ```
 */
export const pad = (x: Tensor, axis: number, before: number, after: number, value = 0): Tensor =>
  before === 0 && after === 0 ? x : apply(padOp, [x], { axis: axisOf("pad", axis, x), before, after, value });

/**
 * Consecutive parts of `sizes` along `axis` (0). The derivative of all parts together is one concat.
 *
 * @throws ShapeError where the sizes do not add up to the axis
 * @example
 * ```ts
 * const f = await compile(
 *   ({ x }) => {
 *     const [a, b] = split(x, [1, 2]);
 *     return { a: a ?? x, b: b ?? x };
 *   },
 *   { x: { shape: [3] } },
 * );
 * console.log((await f.run({ x: [1, 2, 3] })).b); // [2, 3]
 * ```
 */
export function split(x: Tensor, sizes: readonly number[], axis = 0): Tensor[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[axis])
    throw new ShapeError(`split: parts of ${total} together do not fill axis ${axis} of ${showShape(x.shape)}`);
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return slice(x, axis, at - size, at);
  });
}
