import type { Rng } from "../util/rng.ts";
import type { Split } from "./dataset.ts";
import { permutation } from "./permutation.ts";

/** The examples with `fraction` of the labels, chosen at random, replaced by one of the other classes (symmetric noise). */
export function withLabelNoise<S extends Split>(split: S, classes: number, fraction: number, random: Rng): S {
  const y = split.y.slice();
  const wrong = permutation(y.length, random).subarray(0, Math.round(fraction * y.length));
  for (const i of wrong) y[i] = (y[i]! + 1 + Math.floor(random.uniform() * (classes - 1))) % classes;
  return { ...split, y };
}
