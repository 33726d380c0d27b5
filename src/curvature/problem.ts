import type { Split } from "../data/dataset.ts";
import type { SplitName } from "../data/digest.ts";
import { rowsOf } from "../data/split.ts";
import { permutation } from "../data/permutation.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { FloatDType } from "../graph/tensor.ts";
import type { TrainConfig } from "../train/config.ts";
import { builtIn, type Registry } from "../train/registry.ts";
import { examplesOf, type SavedWeights } from "../train/examples.ts";
import { loadModel } from "../train/restore.ts";
import { type Format, modelFor, type Task } from "../train/task.ts";
import type { Weights } from "../train/weights.ts";
import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import { sizeOf } from "../util/shape.ts";
import { type BatchNormMode, empiricalLoss, type LossBatch } from "../train/empirical-loss.ts";
import type { MeasuredProblem } from "./measure.ts";
import type { ImageOrder } from "./result.ts";

export interface ProblemOptions extends SavedWeights {
  readonly split: SplitName;
  /** Mini-batches; left out, eight of a data set (or as many as there are), and all of the user's own images. */
  readonly batches?: number | "all" | undefined;
  /** Whether they are drawn at random, or the first ones. */
  readonly order: ImageOrder;
  /** Draws them. */
  readonly seed: number;
  readonly bn: BatchNormMode;
  readonly dtype: FloatDType;
}

/** Weights and examples, ready to be measured. */
export async function curvatureProblem(
  options: ProblemOptions,
  registry: Registry = builtIn,
): Promise<MeasuredProblem> {
  const { batch } = options.config.data;
  const source = await examplesOf(options, options.split, registry);
  const { task, weights } = loadModel(options, source.format, Math.min(batch, source.split.count), registry);
  const usual = options.arrays === undefined ? undefined : "all";
  return problemFor({ ...options, ...source, task, weights, batch, batches: options.batches ?? usual });
}

/** A task and its weights, on which examples to measure them, and how. */
export interface MeasuredExamples extends Pick<ProblemOptions, "batches" | "order" | "seed" | "bn" | "dtype"> {
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
  const { config, task, weights, split, name, batch, order, seed, bn, dtype } = measured;
  const usual = Math.min(DEFAULT_BATCHES, Math.ceil(split.count / batch));
  const drawn = order === "random" ? permutation(split.count, rng(seed, "curvature", "images")) : undefined;
  const batches = miniBatches(split, task.format, batch, measured.batches ?? usual, drawn);
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
    data: used === split.count ? name : nameOf[order](used, split.count, name),
    order,
  };
}

const nameOf: Readonly<Record<ImageOrder, (used: number, count: number, name: string) => string>> = {
  random: (used, count, name) => `${used} random examples of the ${count} of ${name}`,
  first: (used, count, name) => `the first ${used} of ${count} examples of ${name}`,
};

/** Enough mini-batches to tell the sampling error. */
const DEFAULT_BATCHES = 8;

/**
 * The first `asked` mini-batches of a split, in its order or in the one given; only the last of all may be short. In an order of their own the
 * examples of a mini-batch are gathered whenever it is read, so that there is never a copy of all.
 */
export function miniBatches(
  split: Split,
  { inputShape }: Pick<Format, "inputShape">,
  batch: number,
  asked: number | "all",
  order?: Int32Array,
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
    const rows = to - from;
    if (order === undefined)
      return { x: split.x.subarray(from * size, to * size), y: split.y.subarray(from * targets, to * targets), rows };
    const chosen = order.subarray(from, to);
    return {
      get x() {
        return rowsOf(split.x, split.count, chosen);
      },
      get y() {
        return rowsOf(split.y, split.count, chosen);
      },
      rows,
    };
  });
}
