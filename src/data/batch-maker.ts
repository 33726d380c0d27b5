import { rng } from "../util/rng.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { type Augmentation, augmentInto } from "./augment.ts";
import type { Inputs, Split, TargetArray } from "./dataset.ts";
import { permutation } from "./permutation.ts";

export interface BatchPlan {
  /** Shape of one example. */
  readonly inputShape: Shape;
  readonly batch: number;
  readonly seed: number;
  /** How images are changed at random; left out, examples stay as they are. */
  readonly augment?: Augmentation | undefined;
}

/** Full batches of an epoch; the examples left over take part in other epochs, in another order. */
export const stepsPerEpoch = (count: number, batch: number): number => Math.floor(count / batch);

/** Fills `x` and `y` with batch `step` of `epoch`: a function of (seed, epoch, step) alone. */
export function batchMaker(split: Split, { inputShape, batch, seed, augment }: BatchPlan) {
  const size = sizeOf(inputShape);
  const targets = split.count === 0 ? 0 : split.y.length / split.count;
  let shuffled: { readonly epoch: number; readonly order: Int32Array } | undefined;
  return (epoch: number, step: number, x: Inputs, y: TargetArray): void => {
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(split.count, rng(seed, "shuffle", epoch)) };
    const random = { plain: rng(seed, "augment", epoch, step), geometry: rng(seed, "geometry", epoch, step) };
    for (let i = 0; i < batch; i++) {
      const at = shuffled.order[step * batch + i]!;
      y.set(split.y.subarray(at * targets, (at + 1) * targets), i * targets);
      const source = split.x.subarray(at * size, (at + 1) * size);
      if (augment === undefined) x.set(source, i * size);
      else augmentInto(x.subarray(i * size, (i + 1) * size), source, inputShape, augment, random);
    }
  };
}
