import type { Split } from "../data/dataset.ts";
import { permutation } from "../data/permutation.ts";
import type { Rng } from "../util/rng.ts";
import { sizeOf } from "../util/shape.ts";
import type { LossBatch } from "./empirical-loss.ts";
import type { Format } from "./task.ts";

/**
 * `count` mini-batches of `rows` different examples drawn at random, without augmentation; as many as there are where there are
 * fewer. Training draws its own batches anew in every epoch, so it takes steps on none of these.
 */
export function fixedBatches(
  split: Split,
  { inputShape }: Pick<Format, "inputShape">,
  rows: number,
  count: number,
  random: Rng,
): LossBatch[] {
  const order = permutation(split.count, random);
  const batches = Math.min(count, Math.floor(split.count / rows));
  const rowsOf = <T extends Split["x"] | Split["y"]>(values: T, size: number, batch: number): T => {
    const taken = values.slice(0, rows * size) as T;
    for (let i = 0; i < rows; i++) {
      const at = order[batch * rows + i]!;
      taken.set(values.subarray(at * size, (at + 1) * size), i * size);
    }
    return taken;
  };
  return Array.from({ length: batches }, (_, batch) => ({
    x: rowsOf(split.x, sizeOf(inputShape), batch),
    y: rowsOf(split.y, split.y.length / split.count, batch),
    rows,
  }));
}
