import { type Dataset, isSplit } from "../../data/dataset.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { mlp } from "../../models/mlp.ts";
import type { NumberArray } from "../../nn/layout.ts";
import { declare, forward, type Model } from "../../nn/scope.ts";
import type { Method } from "../../optim/method.ts";
import { builtIn, datasetOf, type Registry } from "../../train/registry.ts";
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
  readonly method: Method;
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

/**
 * The method, the network and the examples of a configuration, the same for every seed.
 * @throws ConfigError where there are too few examples, or they have no labels
 */
export async function loadProblem(config: SdeConfig, registry: Registry = builtIn): Promise<Problem> {
  const { data, dtype } = config;
  const { width, depth } = config.model;
  const dataset = await datasetOf(config, registry);
  const { inputShape, targets } = dataset;
  if (targets.kind !== "labels")
    throw new ConfigError(`${dataset.name} has real-valued targets`, { data }, "the experiment takes labels");
  const { classes } = targets;
  const zeros = (length: number): NumberArray =>
    dtype === "f64" ? new Float64Array(length) : new Float32Array(length);
  const part = (name: "train" | "test") => examples(dataset, name, data[name], zeros);
  const [train, test] = [part("train"), part("test")];
  if (data.batch > train.count)
    throw new ConfigError(`data.batch is ${data.batch}, but there are ${train.count} training images`, { data });
  const pixels = sizeOf(inputShape);
  const hidden = new Array<number>(depth).fill(width);
  const model = declare(mlp({ classes, hidden, activation: "tanh" }), [data.batch, pixels]);
  return {
    method: registry.methods[config.method.name]!,
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

/** The first `count` examples: uint8 images as (pixel/255 − mean)/std per channel, other numbers as they are. */
function examples(
  dataset: Dataset,
  part: "train" | "test",
  count: number,
  zeros: (length: number) => NumberArray,
): Examples {
  const { name, inputShape, mean, std, [part]: split } = dataset;
  if (split === undefined || !isSplit(split))
    throw new ConfigError(`${name} has no ${part} examples in memory`, { name, part }, "choose another data.name");
  const { x: inputs, y, count: available } = split;
  if (count > available)
    throw new ConfigError(`data.${part} is ${count}, but ${name} has ${available} examples`, {
      part,
      count,
      available,
    });
  const pixels = sizeOf(inputShape);
  const perChannel = pixels / inputShape[0]!;
  const x = zeros(count * pixels);
  for (let i = 0; i < x.length; i++) {
    const channel = Math.floor((i % pixels) / perChannel);
    x[i] = inputs instanceof Uint8Array ? (inputs[i]! / 255 - mean[channel]!) / std[channel]! : inputs[i]!;
  }
  return { x, y: Int32Array.from(y.subarray(0, count)), count };
}
