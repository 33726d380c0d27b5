import type { Augmentation } from "../data/augment.ts";
import { type Dataset, isSplit } from "../data/dataset.ts";
import { ConfigError } from "../util/errors.ts";
import type { TrainConfig } from "./config.ts";

/** Settings that say how the operations of data.randAugment go, and mean nothing without it. */
const HOW = ["magnitude", "interpolation", "fill"] as const;

/**
 * How the settings `data.*` change training images at random; undefined where they do not, or there are no images.
 * @throws ConfigError where data.randAugment has no images to work on, or what describes it is given without it
 */
export function augmentationOf(
  data: TrainConfig["data"],
  { inputShape, train }: Pick<Dataset, "inputShape" | "train">,
): Augmentation | undefined {
  const { crop, flip, cutout, randAugment } = data;
  const unread = HOW.find((key) => data[key] !== undefined);
  if (randAugment === undefined && unread !== undefined)
    throw new ConfigError(
      `data.${unread} is ${data[unread]}, but data.randAugment, which reads it, is not set`,
      { [unread]: data[unread] },
      "set data.randAugment to the number of operations, such as 2, or leave it out",
    );
  if (randAugment !== undefined && inputShape.length !== 3)
    throw new ConfigError(
      `data.randAugment is ${randAugment}, but the inputs are [${["n", ...inputShape].join(", ")}], no images [n, C, H, W]`,
      { randAugment, inputShape },
      "leave it out",
    );
  if (randAugment !== undefined && !isSplit(train))
    throw new ConfigError(
      `data.randAugment is ${randAugment}, but the batches come ready from a source`,
      { randAugment },
      "change the images in the source, or give arrays",
    );
  if (inputShape.length !== 3 || !(crop > 0 || flip || cutout > 0 || randAugment !== undefined)) return undefined;
  if (randAugment === undefined) return { crop, flip, cutout };
  const { magnitude = 9, interpolation = "nearest", fill = 0 } = data;
  return { crop, flip, cutout, geometry: { operations: randAugment, magnitude, interpolation, fill } };
}
