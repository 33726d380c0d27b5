import type { Shape } from "../../src/util/shape.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { type Rng, rng } from "../../src/util/rng.ts";

/** The numbers of scripts/golden/fill.py, to the last bit: MurmurHash3's finalizer on a counter. */
export function fill(seed: number, n: number, scale = 1, offset = 0): Float64Array {
  const start = Math.imul(seed, 0x9e3779b1);
  return Float64Array.from({ length: n }, (_, i) => {
    let h = (i + start) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
    const value = Math.fround(((h / 2 ** 32) * 2 - 1) * scale);
    return offset === 0 ? value : Math.fround(value + Math.fround(offset));
  });
}

export const normOf = (a: ArrayLike<number>): number => Math.sqrt(dotOf(a, a));

export function dotOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** ‖a − b‖ / ‖b‖; where b is shorter than `floor`, ‖a − b‖ / floor. Both zero: 0. Infinite where lengths differ. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>, floor = 0): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const distance = normOf(Float64Array.from(a, (x, i) => x - b[i]!));
  return distance === 0 ? 0 : distance / Math.max(normOf(b), floor);
}

/** a + t·b. */
export const along = (a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float64Array =>
  Float64Array.from(a, (x, i) => x + t * b[i]!);

/** Uniform numbers in [low, high). */
export const uniform = (random: Rng, n: number, low = -1, high = 1): Float64Array =>
  Float64Array.from({ length: n }, () => low + (high - low) * random.uniform());

/** A seeded vector in [−1, 1) with a stream of its own. */
export const vector = (label: string, shape: Shape): Float64Array => uniform(rng(1, label), sizeOf(shape));

export function shuffled<T>(random: Rng, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
