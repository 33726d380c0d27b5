import type { FloatDType } from "../graph/tensor.ts";
import type { Rng } from "../util/rng.ts";

export type Vector = Float32Array | Float64Array;

export const zeros = (size: number, dtype: FloatDType): Vector =>
  dtype === "f64" ? new Float64Array(size) : new Float32Array(size);

/** ⟨a, b⟩, summed in double precision. */
export function inner(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export const length = (a: Vector): number => Math.sqrt(inner(a, a));

/** y ← y + a·x. */
export function addScaled(y: Vector, a: number, x: Vector): void {
  for (let i = 0; i < y.length; i++) y[i]! += a * x[i]!;
}

/** x / ‖x‖ as a new vector; the zero vector stays zero. */
export function normalized<T extends Vector>(x: T): T {
  const norm = length(x);
  return x.map((value) => (norm === 0 ? 0 : value / norm)) as T;
}

/** Takes its parts along the orthonormal `basis` out of y, twice: once is not enough in floating point (Parlett 1980). */
export function orthogonalize(y: Vector, basis: readonly Vector[]): void {
  for (let pass = 0; pass < 2; pass++) for (const q of basis) addScaled(y, -inner(q, y), q);
}

/** A vector of independent standard normal numbers. */
export function gaussian(size: number, dtype: FloatDType, random: Rng): Vector {
  const v = zeros(size, dtype);
  for (let i = 0; i < size; i++) v[i] = random.normal();
  return v;
}

/** Makes a vector one of unit length and uniform direction. */
export function randomDirection<T extends Vector>(vector: T, random: Rng): T {
  const values = gaussian(vector.length, "f64", random);
  const norm = length(values);
  vector.set(values.map((x) => x / norm));
  return vector;
}

/** A vector of independent signs. */
export function rademacher(size: number, dtype: FloatDType, random: Rng): Vector {
  const v = zeros(size, dtype);
  for (let i = 0; i < size; i++) v[i] = random.uniform() < 0.5 ? -1 : 1;
  return v;
}

/**
 * Where to look for eigenvectors again: their last estimate, and a random part of a third of its length, without which Lanczos would
 * stay with an eigenvector that another has overtaken.
 */
export function warmStart<T extends Vector>(last: T, random: Rng): T {
  const dtype = last instanceof Float64Array ? "f64" : "f32";
  const start = normalized(last);
  addScaled(start, 1 / 3, normalized(gaussian(last.length, dtype, random)));
  return start;
}
