import type { ImageDataset, ImageSplit } from "../../data/dataset.ts";
import { loadDataset } from "../../data/index.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { mlp } from "../../models/mlp.ts";
import type { NumberArray } from "../../nn/layout.ts";
import { declare, forward, type Model } from "../../nn/scope.ts";
import { ConfigError } from "../../util/errors.ts";
import { sizeOf } from "../../util/shape.ts";
import type { SdeConfig } from "./config.ts";

/** Images as the network takes them, and their labels. */
export interface Examples {
  /** [count, pixels], normalized. */
  readonly x: NumberArray;
  readonly y: Int32Array;
  readonly count: number;
}

export interface Problem {
  readonly model: Model;
  /** Length of θ. */
  readonly size: number;
  readonly pixels: number;
  readonly classes: number;
  readonly train: Examples;
  readonly test: Examples;
  zeros(length: number): NumberArray;
  logits(theta: Tensor, x: Tensor): Tensor;
}

/** The network and the images of a configuration, the same for every seed. */
export async function loadProblem({ model: { width, depth }, data, dtype }: SdeConfig): Promise<Problem> {
  const dataset = await loadDataset(data.name, data);
  const { inputShape, targets } = dataset;
  const { classes } = targets;
  const zeros = (length: number): NumberArray =>
    dtype === "f64" ? new Float64Array(length) : new Float32Array(length);
  const part = (name: "train" | "test") => examples(dataset, dataset[name], data[name], `data.${name}`, zeros);
  const [train, test] = [part("train"), part("test")];
  if (data.batch > train.count)
    throw new ConfigError(`data.batch is ${data.batch}, but there are ${train.count} training images`, { data });
  const pixels = sizeOf(inputShape);
  const hidden = new Array<number>(depth).fill(width);
  const model = declare(mlp({ classes, hidden, activation: "tanh" }), [data.batch, pixels]);
  return {
    model,
    size: model.parameters.size,
    pixels,
    classes,
    train,
    test,
    zeros,
    logits: (theta, x) => forward(model, x, { theta, buffers: constant(0, [1], dtype), training: true }).logits,
  };
}

/** The first `count` images, (pixel/255 − mean)/std per channel. */
function examples(
  { inputShape: imageShape, mean, std }: ImageDataset,
  { x: images, y: labels, count: available }: ImageSplit,
  count: number,
  key: string,
  zeros: (length: number) => NumberArray,
): Examples {
  if (count > available)
    throw new ConfigError(`${key} is ${count}, but the set has ${available} images`, { key, count, available });
  const pixels = sizeOf(imageShape);
  const perChannel = pixels / imageShape[0];
  const raw = images instanceof Uint8Array ? 255 : 1;
  const x = zeros(count * pixels);
  for (let i = 0; i < x.length; i++) {
    const channel = Math.floor((i % pixels) / perChannel);
    x[i] = (images[i]! / raw - mean[channel]!) / std[channel]!;
  }
  return { x, y: labels.slice(0, count), count };
}
