import { ShapeError } from "./errors.ts";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** NumPy's rule: align on the right, equal or 1. Throws a ShapeError that names `op` and both shapes. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${op}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast (${x} against ${y}, axis ${i - rank})`,
        { op, a, b },
        "aligned on the right, two axes must be equal or one of them 1",
      );
    result.push(Math.max(x === 0 ? 0 : x, y));
  }
  return result;
}

/** Axes as non-negative, sorted, distinct; negative ones count from the end. */
export function normalizeAxes(op: string, axes: readonly number[], rank: number): number[] {
  const result = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  result.forEach((axis, i) => {
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank || axis === result[i - 1])
      throw new ShapeError(
        `${op}: axes [${axes.join(", ")}] do not fit rank ${rank}`,
        { op, axes, rank },
        `give distinct axes between ${-rank} and ${rank - 1}`,
      );
  });
  return result;
}
