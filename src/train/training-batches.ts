import { type BatchOptions, type BatchStream, openBatches } from "../data/batches.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import type { TrainConfig } from "./config.ts";

/** The batches of a configuration, from a place in it on. */
export const trainingBatches = (
  { seed, data: { batch, crop, flip, cutout } }: TrainConfig,
  { imageShape }: Dataset,
  split: Split,
  where: Pick<BatchOptions, "from" | "epochs">,
): BatchStream => openBatches(split, { imageShape, batch, seed, augment: { crop, flip, cutout }, ...where });
