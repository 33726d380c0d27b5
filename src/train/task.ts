import { inSegments } from "../graph/segments.ts";
import { cast } from "../graph/ops/compare.ts";
import { gather } from "../graph/ops/gather.ts";
import { mul, sub } from "../graph/ops/elementwise.ts";
import { constant } from "../graph/ops/source.ts";
import type { DType, FloatDType, Tensor } from "../graph/tensor.ts";
import { type Dataset, isSplit, type Inputs } from "../data/dataset.ts";
import { networkOf } from "../models/entry.ts";
import { type LossRule, losses, type Targets } from "../nn/losses.ts";
import { frozenBy } from "../nn/freeze.ts";
import { declare, forward, type Model, type Network, vectorLength } from "../nn/scope.ts";
import type { Examples, Loss } from "../optim/point.ts";
import { ConfigError, ShapeError } from "../util/errors.ts";
import { type Shape, sameShape, showShape, sizeOf } from "../util/shape.ts";
import type { TrainConfig } from "./config.ts";
import { mixedExamples, mixedLoss } from "./mixup.ts";
import type { Registry } from "./registry.ts";

/** What of a data set decides the graph. */
export interface Format extends Pick<Dataset, "inputShape" | "targets" | "classNames" | "table" | "mean" | "std"> {
  /** uint8 inputs are pixels, normalized in the graph; others are used as they are. */
  readonly dtype: "u8" | "f32" | "i32";
}

/** What is learned: a network, what it reads, and how it is judged. */
export interface Task {
  readonly format: Format;
  readonly network: Network;
  readonly loss: LossRule;
  readonly labelSmoothing: number;
  /** α of mixup in training steps; left out or 0, examples are not mixed. */
  readonly mixup?: number | undefined;
  /** Patterns of the parameters that are not trained. */
  readonly freeze?: readonly string[] | undefined;
}

export const formatOf = (
  { inputShape, targets, classNames, table, mean, std }: Omit<Format, "dtype">,
  x: Inputs,
): Format => ({
  ...{ inputShape, targets, mean, std, dtype: dtypeOf(x) },
  ...(classNames === undefined ? {} : { classNames }),
  ...(table === undefined ? {} : { table }),
});

const dtypeOf = (x: Inputs): Format["dtype"] =>
  x instanceof Uint8Array ? "u8" : x instanceof Int32Array ? "i32" : "f32";

/** The width of the network's output: classes, or numbers per target. */
export const outputsOf = (targets: Targets): number =>
  targets.kind === "labels" ? targets.classes : sizeOf(targets.shape);

/**
 * The task of a configuration on examples of some format.
 * @throws ConfigError where the loss does not fit the targets
 */
export function taskOf(
  config: Pick<TrainConfig, "model" | "data" | "train">,
  registry: Registry,
  format: Format,
): Task {
  const entry = registry.models[config.model.name]!;
  const standard = format.targets.kind === "labels" ? losses["cross-entropy"].name : losses.mse.name;
  const loss = registry.losses[config.train.loss ?? standard]!;
  if (loss.targets !== undefined && loss.targets !== format.targets.kind)
    throw new ConfigError(
      `train.loss is ${loss.name}, which takes ${loss.targets}, but the targets are ${format.targets.kind}`,
      { loss: loss.name, targets: format.targets.kind },
      format.targets.kind === "labels"
        ? "labels go with cross-entropy"
        : "real-valued targets go with mse or binary-cross-entropy",
    );
  const { labelSmoothing } = config.train;
  if (labelSmoothing > 0 && loss.smooths !== true)
    throw new ConfigError(
      `train.labelSmoothing is ${labelSmoothing}, but loss ${loss.name} does not read it`,
      { labelSmoothing, loss: loss.name },
      "leave it out, or use cross-entropy",
    );
  const { mixup } = config.data;
  if (mixup && format.dtype === "i32")
    throw new ConfigError(
      `data.mixup is ${mixup}, but inputs are whole numbers, between which there is nothing`,
      { mixup },
      "leave it out for tokens",
    );
  const network = networkOf(entry, { classes: outputsOf(format.targets), ...config.model });
  const task = { format, network, loss, labelSmoothing, mixup, freeze: config.model.freeze };
  const { targets } = format;
  // A loss of the caller's may take labels without being about classes.
  const scored = loss.correct !== undefined && targets.kind === "labels" && loss.targets === undefined;
  if (!scored || classifies(modelFor(task, 1), targets)) return task;
  const { correct: _, ...unscored } = loss;
  return { ...task, loss: unscored };
}

/**
 * The network for mini-batches of `rows` examples, with its parameters and buffers.
 * @throws ConfigError where it has too few outputs for the classes of the labels, or a pattern freezes nothing or everything
 */
export function modelFor({ network, format, loss, freeze = [] }: Omit<Task, "labelSmoothing">, rows: number): Model {
  const declared = declaredFor(network, format, rows);
  const model = freeze.length === 0 ? declared : { ...declared, frozen: frozenBy(freeze, declared.parameters) };
  const { targets } = format;
  if (targets.kind === "labels" && loss.targets === "labels" && !classifies(model, targets)) {
    const { classes, shape = [] } = targets;
    const several = shape.length > 0;
    throw new ConfigError(
      `the network gives ${showShape(model.outputShape)} for ${rows} examples, but the labels${several ? ` ${showShape([rows, ...shape])}` : ""} have ${classes} classes`,
      { outputShape: model.outputShape, classes, shape },
      several
        ? "it must give one number per class for each label; one-hot rows become labels by their largest column"
        : "it must give one number per class, [n, classes]; real-valued targets need another loss, such as mse",
    );
  }
  return model;
}

function declaredFor(network: Network, { inputShape, dtype, table }: Format, rows: number): Model {
  try {
    return declare(network, [rows, ...inputShape], dtype === "i32" ? "i32" : "f32");
  } catch (error) {
    if (inputShape.length !== 1 || dtype === "i32" || !(error instanceof ShapeError)) throw error;
    throw new ConfigError(
      `the network takes no rows of ${inputShape[0]} numbers, as the ${table ? "table has" : "examples are"}: ${error.what}`,
      { inputShape },
      "model.name=mlp takes them",
    );
  }
}

/** Whether outputs have a number for each class of each label: [n, k], or [n, …shape, k]. */
const classifies = (
  { inputShape, outputShape }: Pick<Model, "inputShape" | "outputShape">,
  { classes, shape = [] }: Extract<Targets, { readonly kind: "labels" }>,
): boolean => sameShape(outputShape.slice(0, -1), [inputShape[0]!, ...shape]) && (outputShape.at(-1) ?? 0) >= classes;

/** Shape and dtype of a mini-batch, and of the running statistics, as inputs of a graph. */
export function batchSpec({ format }: Pick<Task, "format">, model: Model, dtype: FloatDType = "f32") {
  const rows = model.inputShape[0]!;
  const { targets } = format;
  const y: { readonly shape: Shape; readonly dtype: DType } =
    targets.kind === "labels"
      ? { shape: [rows, ...(targets.shape ?? [])], dtype: "i32" }
      : { shape: [rows, ...targets.shape], dtype: "f32" };
  return {
    buffers: { shape: [vectorLength(model.buffers)], dtype },
    x: { shape: model.inputShape, dtype: format.dtype },
    y,
  };
}

/** Whether each example has one label, and the network an output for every class. */
export const hasClasses = ({ loss, format: { targets } }: Pick<Task, "loss" | "format">): boolean =>
  loss.correct !== undefined && targets.kind === "labels" && (targets.shape ?? []).length === 0;

/** A mini-batch inside a graph. */
export interface TracedBatch {
  readonly x: Tensor;
  readonly y: Tensor;
  /** Running statistics of batch norm. */
  readonly buffers: Tensor;
  /** Random numbers of the pass, where it is of a training step; left out, nothing is dropped. */
  readonly draws?: Tensor | undefined;
  /** λ of mixup, where the pass is of a training step; left out, nothing is mixed. */
  readonly mix?: Tensor | undefined;
}

/** What is random in a training step's pass, among the inputs of a graph. */
export const drawsSpec = ({ mixup }: Pick<Task, "mixup">, { draws }: Pick<Model, "draws">) => ({
  ...(draws === 0 ? {} : { draws: { shape: [draws] } }),
  ...(mixup ? { mix: { shape: [] } } : {}),
});

export interface PassOptions {
  /** Batch norm by the mini-batch's statistics, or by running ones. */
  readonly training: boolean;
  readonly dtype?: FloatDType;
  /** Parts of the pass all but the last of which are computed again for a gradient (see `inSegments`); left out, 1: it is kept. */
  readonly segments?: number;
}

/** One mini-batch as functions of θ: the network's pass, and the loss f(θ) that training descends. */
export function onBatch(
  task: Task,
  model: Model,
  { x, y, buffers, draws, mix }: TracedBatch,
  { training, dtype = "f32", segments = 1 }: PassOptions,
) {
  const whole = normalized(x, task.format, dtype);
  const inputs = mix ? mixedExamples(whole, mix) : whole;
  const targets = task.format.targets.kind === "labels" ? y : cast(y, dtype);
  const pass = (theta: Tensor) => forward(model, inputs, { theta, buffers, training, draws });
  const { labelSmoothing } = task;
  const examples: Examples = {
    losses: (theta) => task.loss.each!(pass(theta).logits, targets, { labelSmoothing }),
    of: (positions) => {
      const [some, wanted] = [gather(inputs, positions), gather(targets, positions)];
      return inSegments(segments, (theta) =>
        task.loss.mean(forward(model, some, { theta, buffers, training }).logits, wanted, { labelSmoothing }),
      );
    },
  };
  const against =
    (wanted: Tensor): Loss =>
    (theta) =>
      task.loss.mean(pass(theta).logits, wanted, { labelSmoothing });
  const f = inSegments(segments, mix ? mixedLoss(against, targets, mix) : against(targets));
  return { pass, f: examplesKnown(task, model) ? Object.assign((at: Tensor) => f(at), { examples }) : f, targets };
}

/**
 * Whether the loss of a mini-batch is the mean of its examples' own: without mixup, and a network that drops nothing, whose random numbers are of the whole
 * mini-batch.
 */
export const examplesKnown = ({ loss, mixup }: Task, { draws }: Pick<Model, "draws">): boolean =>
  loss.each !== undefined && !mixup && draws === 0;

/** (pixel/255 − mean)/std per channel of uint8 images [N, C, H, W]; other numbers as they are. */
export function normalized(
  x: Tensor,
  { mean, std, inputShape, dtype: from }: Format,
  dtype: FloatDType = "f32",
): Tensor {
  if (from === "i32") return x;
  if (from === "f32") return cast(x, dtype);
  const shape = inputShape.length === 3 ? [1, mean.length, 1, 1] : [1];
  const perChannel = (values: readonly number[]) => constant(Float64Array.from(values), shape, dtype);
  const scale = perChannel(std.map((s) => 1 / (255 * s)));
  return sub(mul(cast(x, dtype), scale), perChannel(mean.map((m, i) => m / std[i]!)));
}

/** The format of a data set's training examples. */
export const datasetFormat = (dataset: Dataset): Format =>
  formatOf(dataset, isSplit(dataset.train) ? dataset.train.x : dataset.train.like);
