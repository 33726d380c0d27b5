import { add, mul } from "../../src/graph/ops/elementwise.ts";
import { matmul } from "../../src/graph/ops/matmul.ts";
import { sum } from "../../src/graph/ops/reduce.ts";
import { reshape } from "../../src/graph/ops/reshape.ts";
import { slice } from "../../src/graph/ops/arrange.ts";
import { constant } from "../../src/graph/ops/source.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { rng } from "../../src/util/rng.ts";

/**
 * Six functions of four variables with every derivative at hand:
 * fᵢ(x) = ⟨lᵢ, x⟩ + ½xᵀAᵢx + Bᵢ[x,x,x]/6 + ¼Σₖ(Cᵢx)ₖ⁴. A mini-batch is two of them, so expectations are sums over 15.
 */
export const D = 4;
export const N = 6;
const ROWS = 3;

const normals = (label: string, n: number, scale: number) => {
  const random = rng(0, "quartic", label);
  return Float64Array.from({ length: n }, () => scale * random.normal());
};
const each = <T>(make: (i: number) => T): T[] => Array.from({ length: N }, (_, i) => make(i));

const l = each((i) => normals(`l${i}`, D, 1));
const A = each((i) => {
  const M = normals(`A${i}`, D * D, 1);
  return filled([D, D], ([a, b]) => range(D).reduce((s, k) => s + (M[a! * D + k]! * M[b! * D + k]!) / D, 0));
});
/** Symmetric in its three axes. */
const B = each((i) => {
  const t = normals(`B${i}`, D ** 3, 0.5);
  return filled([D, D, D], ([a, b, c]) =>
    [
      [a, b, c],
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ].reduce((s, [p, q, r]) => s + t[(p! * D + q!) * D + r!]! / 6, 0),
  );
});
const C = each((i) => normals(`C${i}`, ROWS * D, 0.5));

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function filled(shape: readonly number[], value: (index: number[]) => number): Float64Array {
  const all = shape.reduce<number[][]>((list, d) => list.flatMap((x) => range(d).map((i) => [...x, i])), [[]]);
  return Float64Array.from(all, value);
}

/** Σᵢ weightsᵢ·fᵢ(x) as a graph. */
export function quartic(weights: Tensor, x: Tensor): Tensor {
  const column = reshape(x, [D, 1]);
  const outer = reshape(matmul(column, column, { transB: true }), [D * D, 1]);
  const terms = each((i) => {
    const at = (data: Float64Array, rows: number, columns: number, y: Tensor) =>
      reshape(matmul(constant(data, [rows, columns], "f64"), y), [rows]);
    const inner = at(C[i]!, ROWS, D, column);
    const square = mul(inner, inner);
    const f = [
      sum(mul(constant(l[i]!, [D], "f64"), x)),
      mul(0.5, sum(mul(x, at(A[i]!, D, D, column)))),
      mul(1 / 6, sum(mul(x, at(B[i]!, D, D * D, outer)))),
      mul(0.25, sum(mul(square, square))),
    ].reduce(add);
    return mul(reshape(slice(weights, 0, i, i + 1), []), f);
  });
  return terms.reduce(add);
}

type Vector = ArrayLike<number>;
const combined = (weights: Vector, part: (i: number) => Float64Array): Float64Array =>
  range(N).reduce((total, i) => {
    const own = part(i);
    return total.map((t, j) => t + weights[i]! * own[j]!);
  }, new Float64Array(D));
const times = (i: number, x: Vector) =>
  range(ROWS).map((k) => range(D).reduce((s, j) => s + C[i]![k * D + j]! * x[j]!, 0));
const back = (i: number, y: readonly number[], at: number) =>
  range(ROWS).reduce((s, k) => s + C[i]![k * D + at]! * y[k]!, 0);
const contracted = (i: number, at: number, u: Vector, v: Vector) =>
  range(D).reduce((s, j) => s + range(D).reduce((t, k) => t + B[i]![(at * D + j) * D + k]! * u[j]! * v[k]!, 0), 0);

export const gradientOf = (weights: Vector, x: Vector): Float64Array =>
  combined(weights, (i) => {
    const cubes = times(i, x).map((y) => y ** 3);
    return filled([D], ([a]) => {
      const Ax = range(D).reduce((s, j) => s + A[i]![a! * D + j]! * x[j]!, 0);
      return l[i]![a!]! + Ax + contracted(i, a!, x, x) / 2 + back(i, cubes, a!);
    });
  });

export const hessianTimes = (weights: Vector, x: Vector, u: Vector): Float64Array =>
  combined(weights, (i) => {
    const Cu = times(i, u);
    const inner = times(i, x).map((y, k) => 3 * y ** 2 * Cu[k]!);
    return filled([D], ([a]) => {
      const Au = range(D).reduce((s, j) => s + A[i]![a! * D + j]! * u[j]!, 0);
      return Au + contracted(i, a!, x, u) + back(i, inner, a!);
    });
  });

/** T[u,u]. */
export const thirdOf = (weights: Vector, x: Vector, u: Vector): Float64Array =>
  combined(weights, (i) => {
    const Cu = times(i, u);
    const inner = times(i, x).map((y, k) => 6 * y * Cu[k]! ** 2);
    return filled([D], ([a]) => contracted(i, a!, u, u) + back(i, inner, a!));
  });

/** The weights of every mini-batch of two. */
export const pairs: readonly Float64Array[] = range(N).flatMap((i) =>
  range(i).map((j) => Float64Array.from({ length: N }, (_, k) => (k === i || k === j ? 0.5 : 0))),
);

/** The weights of all functions together. */
export const whole = new Float64Array(N).fill(1 / N);

export const point = normals("x", D, 0.5);
