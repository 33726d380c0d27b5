import type { Split } from "../data/dataset.ts";
import { permutation } from "../data/permutation.ts";
import { select } from "../data/split.ts";
import type { Rng } from "../util/rng.ts";
import { partsOfBatch } from "./micro.ts";
import type { LossBatch } from "./empirical-loss.ts";

/**
 * `count` mini-batches of `rows` different examples drawn at random, without augmentation; as many as there are where there are
 * fewer. Each comes in so many parts. Training draws its own batches anew in every epoch, so it takes steps on none of these.
 */
export function fixedBatches(split: Split, rows: number, count: number, random: Rng, parts = 1): LossBatch[] {
  const order = permutation(split.count, random);
  const batches = Math.min(count, Math.floor(split.count / rows));
  return Array.from({ length: batches }, (_, i) =>
    partsOfBatch(select(split, order.subarray(i * rows, (i + 1) * rows)), parts).map((part) => ({
      ...part,
      rows: rows / parts,
    })),
  ).flat();
}
