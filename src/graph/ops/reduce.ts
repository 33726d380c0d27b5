import { ShapeError } from "../../util/errors.ts";
import { broadcastShapes, normalizeAxes, type Shape, sameShape, showShape, sizeOf } from "../../util/shape.ts";
import type { Emitter } from "../tensor.ts";
import { apply, defineOp, type Op, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { reshape } from "./reshape.ts";

export interface ReduceAttrs {
  readonly axes: readonly number[];
}

/** The shape of a reduction over axes that stay as axes of length 1. */
export const reducedShape = ([x]: readonly Tensor[], { axes }: ReduceAttrs): Shape =>
  x!.shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** Reduces `axes` (all by default), which disappear unless `keepDims`. */
export function reduced(
  op: Op<ReduceAttrs>,
  x: Tensor,
  axes: readonly number[] | undefined,
  keepDims: boolean,
): Tensor {
  const all = normalizeAxes(op.name, axes ?? x.shape.map((_, i) => i), x.shape.length);
  const kept = all.length === 0 ? x : apply(op, [x], { axes: all });
  return keepDims
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !all.includes(i)),
      );
}

/** Σ over `axes`, which stay as axes of length 1. */
export const sumOp = defineOp<ReduceAttrs>({
  name: "sum",
  shape: reducedShape,
  vjp: ({ g, inputs: [x] }) => [() => broadcastTo(g, x!.shape)],
  emit: (emitter, [x], node, { axes }) => emitSum(emitter, x!, node.inputs[0]!.shape, axes, node.shape),
  samples: [
    sample({ axes: [0] }, [3, 4]),
    sample({ axes: [0, 2] }, [3, 4, 2]),
    sample({ axes: [0] }, [5]),
    sample({ axes: [0, 1, 2] }, [2, 1, 3, 2]),
  ],
});

/** A first axis of this length gives every thread something to do, and leaves little to sum in the end. */
const [FEWEST_PARTS, MOST_PARTS] = [8, 256];

/**
 * ONNX Runtime keeps only one thread busy with a sum over leading axes: 11 ms at 131072 × 64. In two steps it takes 0.5 ms, all
 * axes but the first and then the first. A first axis that is too short or too long is split beforehand. Where the summed axes
 * are scattered, the first is summed on its own.
 */
function emitSum(emitter: Emitter, x: string, shape: Shape, axes: readonly number[], out: Shape): string {
  const rows = sizeOf(axes.map((i) => shape[i]!));
  const leading = axes.every((axis, i) => axis === i);
  if (leading && rows >= 256 && rows < sizeOf(shape)) {
    if (axes.length > 1 && shape[0]! >= FEWEST_PARTS && shape[0]! <= MOST_PARTS) {
      const partial = emitter.node("ReduceSum", [x, emitter.ints(axes.slice(1))], { keepdims: 1 });
      return emitter.node("ReduceSum", [partial, emitter.ints([0])], { keepdims: 1 });
    }
    const blocks = largestDivisor(rows, Math.min(MOST_PARTS, rows >> 4));
    const columns = sizeOf(shape) / rows;
    const split = emitter.node("Reshape", [x, emitter.shape([blocks, rows / blocks, columns])]);
    const partial = emitter.node("ReduceSum", [split, emitter.ints([1])], { keepdims: 0 });
    const total = emitter.node("ReduceSum", [partial, emitter.ints([0])], { keepdims: 0 });
    return emitter.node("Reshape", [total, emitter.shape(out)]);
  }
  if (axes[0] === 0 && axes.length > 1 && !leading) {
    const first = emitter.node("ReduceSum", [x, emitter.ints([0])], { keepdims: 1 });
    return emitter.node("ReduceSum", [first, emitter.ints(axes.slice(1))], { keepdims: 1 });
  }
  return emitter.node("ReduceSum", [x, emitter.ints(axes)], { keepdims: 1 });
}

const largestDivisor = (n: number, limit: number): number => {
  let d = Math.min(limit, n);
  while (n % d !== 0) d--;
  return d;
};

/** Repeats axes of length 1 until the shape is `shape` (NumPy's broadcasting, new axes on the left). */
export const broadcastOp = defineOp<{ readonly shape: Shape }>({
  name: "broadcastTo",
  shape: ([x], { shape }) => {
    if (!sameShape(broadcastShapes("broadcastTo", x!.shape, shape), shape))
      throw new ShapeError(`broadcastTo: ${showShape(x!.shape)} does not broadcast to ${showShape(shape)}`);
    return shape;
  },
  vjp: ({ g, inputs: [x] }) => [() => sumTo(g, x!.shape)],
  emit: (emitter, [x], _, { shape }) => emitter.node("Expand", [x!, emitter.shape(shape)]),
  samples: [sample({ shape: [3, 4] }, [3, 1]), sample({ shape: [2, 3, 4] }, [4]), sample({ shape: [2, 2] }, [])],
});

/**
 * Σ over `axes` (all by default), which disappear unless `keepDims`.
 *
 * @throws ShapeError where x has no such axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: sum(x, [0]) }), { x: { shape: [2, 2] } });
 * console.log((await f.run({ x: [1, 2, 3, 4] })).y); // [4, 6]
 * ```
 */
export const sum = (x: Tensor, axes?: readonly number[], keepDims = false): Tensor => reduced(sumOp, x, axes, keepDims);

/**
 * x repeated along axes of length 1, and along new axes on the left, until its shape is `shape`.
 *
 * @throws ShapeError where x does not broadcast to it
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: broadcastTo(x, [2, 2]) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [1, 2] })).y); // [1, 2, 1, 2]
 * ```
 */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : apply(broadcastOp, [x], { shape });

/** The adjoint of broadcasting: sums `x` down to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return reshape(sum(x, axes, true), shape);
}
