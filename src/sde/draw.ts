import type { Rng } from "../util/rng.ts";

/** `count` different numbers below n, every set of them equally likely: the first places of a shuffle, without the rest. */
export function drawIndices(random: Rng, n: number, count: number): Int32Array {
  const moved = new Map<number, number>();
  const at = (i: number) => moved.get(i) ?? i;
  return Int32Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor(random.uniform() * (n - i));
    const drawn = at(j);
    moved.set(j, at(i));
    return drawn;
  });
}
