import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A stream of random numbers. */
export interface Rng {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box and Muller). */
  normal(): number;
}

/**
 * A stream of random numbers that depends on the seed and the labels alone; all randomness in the library comes from
 * such streams.
 *
 * @example
 * ```ts
 * const [a, b] = [rng(1, "data"), rng(1, "data")];
 * console.log(a.uniform() === b.uniform()); // true
 * ```
 */
export function rng(seed: number, ...labels: readonly (string | number)[]): Rng {
  const generator = xoroshiro128plus(hash(`${seed}/${labels.join("/")}`));
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** FNV-1a with a final mix (MurmurHash3's), 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
