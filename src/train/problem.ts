import { cast } from "../graph/ops/compare.ts";
import { mul, sub } from "../graph/ops/elementwise.ts";
import { constant } from "../graph/ops/source.ts";
import type { FloatDType, Tensor } from "../graph/tensor.ts";
import type { Dataset } from "../data/dataset.ts";
import { namedModel } from "../models/index.ts";
import { declare, type Model } from "../nn/scope.ts";
import type { TrainConfig } from "./config.ts";

/** What of a data set decides the graph. */
export type ImageFormat = Pick<Dataset, "classes" | "imageShape" | "mean" | "std"> & {
  /** uint8 pixels are normalized in the graph; float32 is used as it is. */
  readonly pixels: "u8" | "f32";
};

export const imageFormat = ({ classes, imageShape, mean, std, train }: Dataset): ImageFormat => ({
  classes,
  imageShape,
  mean,
  std,
  pixels: train.images instanceof Uint8Array ? "u8" : "f32",
});

/** The network of a configuration for batches of `batch` images. */
export function modelOf(
  { model }: Pick<TrainConfig, "model">,
  { classes, imageShape }: ImageFormat,
  batch: number,
): Model {
  const network = namedModel(model.name, { classes, ...model });
  return declare(network, [batch, ...imageShape]);
}

/** (pixel/255 − mean)/std per channel of [N, C, H, W]; float32 images as they are. */
export function normalized(
  x: Tensor,
  { mean, std, imageShape, pixels }: ImageFormat,
  dtype: FloatDType = "f32",
): Tensor {
  if (pixels === "f32") return cast(x, dtype);
  const perChannel = (values: readonly number[]) =>
    constant(Float64Array.from(values), [1, imageShape[0], 1, 1], dtype);
  const scale = perChannel(std.map((s) => 1 / (255 * s)));
  return sub(mul(cast(x, dtype), scale), perChannel(mean.map((m, i) => m / std[i]!)));
}
