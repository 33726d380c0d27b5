import { type Dataset, isSplit } from "../../data/dataset.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { networkOf } from "../../models/entry.ts";
import type { NumberArray } from "../../nn/layout.ts";
import { declare, forward, type Model } from "../../nn/scope.ts";
import type { Method } from "../../optim/method.ts";
import { builtIn, datasetOf, type Registry } from "../../train/registry.ts";
import { ConfigError } from "../../util/errors.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";
import type { SdeConfig } from "./config.ts";

/** Images as the network takes them, and their labels. */
export interface Examples {
  /** [count, …inputShape]. */
  readonly x: NumberArray;
  readonly y: Int32Array;
  readonly count: number;
}

export interface Problem {
  readonly method: Method;
  readonly model: Model;
  /** Length of θ. */
  readonly size: number;
  /** Shape of one example, and how many numbers that is. */
  readonly inputShape: Shape;
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
  const dataset = await datasetOf(config, registry);
  const { inputShape, targets } = dataset;
  if (targets.kind !== "labels")
    throw new ConfigError(`${dataset.name} has real-valued targets`, { data }, "the experiment takes labels");
  const { classes } = targets;
  const zeros = (length: number): NumberArray =>
    dtype === "f64" ? new Float64Array(length) : new Float32Array(length);
  const part = (name: "train" | "test") => examples(dataset, name, data, zeros);
  const [train, test] = [part("train"), part("test")];
  if (data.batch > train.count)
    throw new ConfigError(
      `data.batch is ${data.batch}, but there are ${train.count} training images`,
      { data },
      "choose a smaller data.batch, or a larger data.train",
    );
  const pixels = sizeOf(inputShape);
  const entry = registry.models[config.model.name]!;
  const depth = config.model.depth ?? (entry.defaultDepth === undefined ? undefined : 1);
  const model = declare(networkOf(entry, { classes, ...config.model, depth }), [data.batch, ...inputShape]);
  if (model.draws > 0)
    throw new ConfigError(
      `${config.model.name} has dropout, and the equations are of one loss that does not change from step to step`,
      { model: config.model.name },
      "choose a model without it",
    );
  return {
    method: registry.methods[config.method.name]!,
    model,
    size: model.parameters.size,
    inputShape,
    pixels,
    classes,
    train,
    test,
    zeros,
    logits: (theta, x) => forward(model, x, { theta, buffers: constant(0, [1], dtype), training: true }).logits,
  };
}

/** The first examples: uint8 images as pixel/255 (raw) or (pixel/255 − mean)/std per channel, other numbers as they are. */
function examples(
  dataset: Dataset,
  part: "train" | "test",
  { inputs: scaling, ...data }: SdeConfig["data"],
  zeros: (length: number) => NumberArray,
): Examples {
  const { name, inputShape, [part]: split } = dataset;
  const count = data[part];
  if (split === undefined || !isSplit(split))
    throw new ConfigError(`${name} has no ${part} examples in memory`, { name, part }, "choose another data.name");
  const { x: inputs, y, count: available } = split;
  if (count > available)
    throw new ConfigError(
      `data.${part} is ${count}, but ${name} has ${available} examples`,
      {
        part,
        count,
        available,
      },
      `give ${available} at most`,
    );
  const pixels = sizeOf(inputShape);
  const perChannel = pixels / inputShape[0]!;
  const [mean, std] =
    scaling === "raw" ? [dataset.mean.map(() => 0), dataset.std.map(() => 1)] : [dataset.mean, dataset.std];
  const x = zeros(count * pixels);
  for (let i = 0; i < x.length; i++) {
    const channel = Math.floor((i % pixels) / perChannel);
    x[i] = inputs instanceof Uint8Array ? (inputs[i]! / 255 - mean[channel]!) / std[channel]! : inputs[i]!;
  }
  return { x, y: Int32Array.from(y.subarray(0, count)), count };
}
