import { rng } from "../util/rng.ts";
import { type Augmentation, augmentInto, type Pixels } from "./augment.ts";
import type { Split } from "./dataset.ts";
import { permutation } from "./permutation.ts";

export interface BatchPlan {
  readonly imageShape: readonly [channels: number, height: number, width: number];
  readonly batch: number;
  readonly seed: number;
  readonly augment: Augmentation;
}

/** Full batches of an epoch; the images left over take part in other epochs, in another order. */
export const stepsPerEpoch = (count: number, batch: number): number => Math.floor(count / batch);

/** Fills `images` and `labels` with batch `step` of `epoch`: a function of (seed, epoch, step) alone. */
export function batchMaker({ images: all, labels: allLabels, count }: Split, plan: BatchPlan) {
  const { imageShape, batch, seed, augment } = plan;
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  let shuffled: { readonly epoch: number; readonly order: Int32Array } | undefined;
  return (epoch: number, step: number, images: Pixels, labels: Int32Array): void => {
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(count, rng(seed, "shuffle", epoch)) };
    const random = rng(seed, "augment", epoch, step);
    for (let i = 0; i < batch; i++) {
      const at = shuffled.order[step * batch + i]!;
      labels[i] = allLabels[at]!;
      const source = all.subarray(at * size, (at + 1) * size);
      augmentInto(images.subarray(i * size, (i + 1) * size), source, imageShape, augment, random);
    }
  };
}
