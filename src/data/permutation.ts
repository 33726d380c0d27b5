import type { Rng } from "../util/rng.ts";

/** 0 … n − 1 in random order (Fisher and Yates). */
export function permutation(n: number, random: Rng): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
