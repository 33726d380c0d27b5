import { isSplit, type Split } from "../data/dataset.ts";
import { readPair, statistics } from "../data/npy.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { FloatDType } from "../graph/tensor.ts";
import type { Targets } from "../nn/losses.ts";
import type { TrainConfig } from "../train/config.ts";
import { builtIn, datasetOf, type Registry } from "../train/registry.ts";
import { datasetFormat, type Format, modelFor, type Task, taskOf } from "../train/task.ts";
import { readTensors, readWeights, type Weights } from "../train/weights.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { type BatchNormMode, empiricalLoss, type LossBatch } from "./hessian.ts";
import type { MeasuredProblem } from "./measure.ts";

export interface ProblemOptions {
  readonly config: TrainConfig;
  /** Weights as safetensors. */
  readonly path: string;
  /** The user's own images and labels, .npy files, instead of the data set's. */
  readonly images?: string | undefined;
  readonly labels?: string | undefined;
  /** Normalize the user's uint8 images as the configured data set; else by their own mean and standard deviation. */
  readonly normalizeAsData: boolean;
  readonly split: "train" | "test";
  /** Mini-batches from the beginning; left out, eight of a data set (or as many as there are), and all of the user's own images. */
  readonly batches?: number | "all" | undefined;
  readonly bn: BatchNormMode;
  readonly dtype: FloatDType;
}

/** Weights and examples, ready to be measured. */
export async function curvatureProblem(
  options: ProblemOptions,
  registry: Registry = builtIn,
): Promise<MeasuredProblem> {
  const { config, path } = options;
  const source = await examplesOf(options, registry);
  const { split } = source;
  const task = taskOf(config, registry, { ...source.format, targets: targetsOf(config, registry, source, path) });
  const { batch } = config.data;
  const weights = readWeights(path, modelFor(task, Math.min(batch, split.count)));
  const usual = options.images === undefined ? undefined : "all";
  return problemFor({ ...options, ...source, task, weights, batch, batches: options.batches ?? usual });
}

/** A task and its weights, on which examples to measure them, and how. */
export interface MeasuredExamples extends Pick<ProblemOptions, "batches" | "bn" | "dtype"> {
  readonly config: Pick<TrainConfig, "model" | "device" | "threads">;
  readonly task: Task;
  readonly weights: Weights;
  readonly split: Split;
  /** Where the examples come from. */
  readonly name: string;
  /** Examples in each mini-batch. */
  readonly batch: number;
}

/**
 * Weights on mini-batches of examples, ready to be measured: those of a file, and those that training has just left.
 * @throws ConfigError where there are fewer mini-batches than asked for, or the last has no statistics
 */
export function problemFor(measured: MeasuredExamples): MeasuredProblem {
  const { config, task, weights, split, name, batch, bn, dtype } = measured;
  const usual = Math.min(DEFAULT_BATCHES, Math.ceil(split.count / batch));
  const batches = miniBatches(split, task.format, batch, measured.batches ?? usual);
  const last = batches.at(-1)!;
  const model = modelFor(task, batches[0]!.rows);
  if (last.rows === 1 && bn === "batch" && model.buffers.size > 0)
    throw new ConfigError(
      `the last of ${batches.length} mini-batches has one example, which has no statistics`,
      { examples: split.count, batch },
      "choose another batch size, or measure with running statistics (bn running)",
    );
  const cast = (values: Float32Array): Vector => (dtype === "f64" ? Float64Array.from(values) : values);
  const used = batches.reduce((sum, { rows }) => sum + rows, 0);
  return {
    loss: empiricalLoss({
      task,
      buffers: cast(weights.buffers),
      batches,
      bn,
      dtype,
      device: config.device,
      threads: config.threads,
    }),
    layout: model.parameters,
    theta: cast(weights.theta),
    bn: model.buffers.size > 0 ? bn : null,
    model: [config.model.name, ...(config.model.width ? [`width ${config.model.width}`] : [])].join(" "),
    data: used === split.count ? name : `the first ${used} of ${split.count} examples of ${name}`,
  };
}

interface Examples {
  readonly name: string;
  readonly split: Split;
  readonly format: Format;
}

async function examplesOf(options: ProblemOptions, registry: Registry): Promise<Examples> {
  const { config, images, labels, normalizeAsData, split: part } = options;
  const named = () => datasetOf(config, registry);
  if (images === undefined || labels === undefined) {
    if (images !== undefined || labels !== undefined)
      throw new ConfigError(
        `--${images === undefined ? "labels" : "images"} was given alone`,
        { images, labels },
        "give --images x.npy and --labels y.npy together",
      );
    const dataset = await named();
    const split = dataset[part];
    if (split === undefined || !isSplit(split))
      throw new ConfigError(`${dataset.name} has no ${part} examples in memory`, { part }, "choose another --split");
    return { name: `${dataset.name} (${part})`, split, format: datasetFormat(dataset) };
  }
  const { split, shape, pixels } = readPair(images, labels, config.data.layout);
  const base = { targets: { kind: "labels", classes: 1 }, inputShape: shape } as const;
  if (pixels === "float32") return { name: images, split, format: { ...base, dtype: "f32", mean: [0], std: [1] } };
  const { mean, std } = normalizeAsData ? await named() : statistics(split, shape);
  const by = normalizeAsData ? config.data.name : "their own mean and standard deviation";
  if (mean.length !== shape[0])
    throw new DataError(
      `${images}: ${shape[0]} channels, but ${config.data.name} is normalized in ${mean.length}`,
      { images, channels: shape[0] },
      "give float32 images, normalized as the network was trained",
    );
  return { name: `${images} (normalized by ${by})`, split, format: { ...base, dtype: "u8", mean, std } };
}

/** The targets, with as many classes as the weights have: the length of the last bias, which every model of the registry ends with. */
function targetsOf(config: TrainConfig, registry: Registry, { format, split, name }: Examples, path: string): Targets {
  if (format.targets.kind !== "labels") return format.targets;
  const task: Task = taskOf(config, registry, { ...format, targets: { kind: "labels", classes: 1 } });
  const model = modelFor(task, 1);
  const classes = readTensors(path, model)[model.parameters.entries.at(-1)!.name]?.shape[0] ?? 0;
  if (classes === 0) readWeights(path, model);
  const largest = Array.from(split.y).reduce((a, b) => Math.max(a, b), 0);
  if (largest >= classes)
    throw new DataError(
      `${name}: there is a label ${largest}, but the weights of ${path} have ${classes} classes`,
      { largest, classes, path },
      "labels begin at 0; do images and weights belong together?",
    );
  return { kind: "labels", classes };
}

/** Enough mini-batches to tell the sampling error. */
const DEFAULT_BATCHES = 8;

/** The first `asked` mini-batches of a split, in its order; only the last of all may be short. */
export function miniBatches(
  split: Split,
  { inputShape }: Pick<Format, "inputShape">,
  batch: number,
  asked: number | "all",
): LossBatch[] {
  const all = Math.ceil(split.count / batch);
  const count = asked === "all" ? all : asked;
  if (count > all)
    throw new ConfigError(
      `batches is ${count}, but ${split.count} examples make ${all} mini-batches of ${batch}`,
      { count, all },
      "batches all takes every example",
    );
  const size = sizeOf(inputShape);
  const targets = split.y.length / split.count;
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i * batch, Math.min((i + 1) * batch, split.count)];
    return {
      x: split.x.subarray(from * size, to * size),
      y: split.y.subarray(from * targets, to * targets),
      rows: to - from,
    };
  });
}
