import { readFileSync } from "node:fs";
import { loadDataset } from "../data/index.ts";
import type { Split } from "../data/dataset.ts";
import { readPair, statistics } from "../data/npy.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { FloatDType } from "../graph/tensor.ts";
import type { Layout } from "../nn/layout.ts";
import type { TrainConfig } from "../train/config.ts";
import { type ImageFormat, imageFormat, modelOf } from "../train/problem.ts";
import { readWeights } from "../train/weights.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { decodeSafetensors } from "../util/safetensors.ts";
import { sizeOf } from "../util/shape.ts";
import { type BatchNormMode, type EmpiricalLoss, empiricalLoss, type LossBatch } from "./hessian.ts";

export interface ProblemOptions {
  readonly config: TrainConfig;
  /** Weights as safetensors. */
  readonly path: string;
  /** Images and labels of one's own, .npy, instead of the data set's. */
  readonly images?: string | undefined;
  readonly labels?: string | undefined;
  /** Normalize uint8 images of one's own as the configured data set; else by their own mean and standard deviation. */
  readonly normalizeAsData: boolean;
  readonly split: "train" | "test";
  /** Mini-batches from the beginning; left out, eight of a data set (or as many as there are), and all of one's own images. */
  readonly batches?: number | "all" | undefined;
  readonly bn: BatchNormMode;
  readonly dtype: FloatDType;
}

export interface CurvatureProblem {
  readonly loss: EmpiricalLoss;
  readonly layout: Layout;
  readonly theta: Vector;
  readonly model: string;
  /** Where the images come from, for people. */
  readonly data: string;
}

/** Weights and images, ready to be measured. */
export async function curvatureProblem(options: ProblemOptions): Promise<CurvatureProblem> {
  const { config, path, bn, dtype } = options;
  const source = await imagesOf(options);
  const format = { ...source.format, classes: classesOf(config, source.format, path) };
  const { split } = source;
  if (format.classes === 0) readWeights(path, modelOf(config, { ...format, classes: 1 }, 1));
  const largest = split.labels.reduce((a, b) => Math.max(a, b), 0);
  if (largest >= format.classes)
    throw new DataError(
      `${source.name}: there is a label ${largest}, but ${path} tells ${format.classes} classes apart`,
      { largest, classes: format.classes, path },
      "labels begin at 0; do images and weights belong together?",
    );
  const { batch } = config.data;
  const usual = options.images === undefined ? Math.min(DEFAULT_BATCHES, Math.ceil(split.count / batch)) : "all";
  const batches = miniBatches(split, format, batch, options.batches ?? usual);
  const last = batches.at(-1)!;
  const modelFor = (rows: number) => modelOf(config, format, rows);
  const model = modelFor(batches[0]!.rows);
  const weights = readWeights(path, model);
  if (last.rows === 1 && bn === "batch" && model.buffers.size > 0)
    throw new ConfigError(
      `the last of ${batches.length} mini-batches has one image, whose statistics are none`,
      { images: split.count, batch },
      "set data.batch so that more are left, or measure with --bn running",
    );
  const cast = (values: Float32Array): Vector => (dtype === "f64" ? Float64Array.from(values) : values);
  const used = batches.reduce((sum, { rows }) => sum + rows, 0);
  return {
    loss: empiricalLoss({
      modelFor,
      format,
      buffers: cast(weights.buffers),
      batches,
      bn,
      labelSmoothing: config.train.labelSmoothing,
      dtype,
      device: config.device,
      threads: config.threads,
    }),
    layout: model.parameters,
    theta: cast(weights.theta),
    model: [config.model.name, ...(config.model.width ? [`width ${config.model.width}`] : [])].join(" "),
    data: used === split.count ? source.name : `the first ${used} of ${split.count} images of ${source.name}`,
  };
}

interface Images {
  readonly name: string;
  readonly split: Split;
  readonly format: ImageFormat;
}

async function imagesOf(options: ProblemOptions): Promise<Images> {
  const { config, images, labels, normalizeAsData, split: part } = options;
  const named = () => loadDataset(config.data.name, config.data);
  if (images === undefined || labels === undefined) {
    if (images !== undefined || labels !== undefined)
      throw new ConfigError(
        `--${images === undefined ? "labels" : "images"} was given alone`,
        { images, labels },
        "give --images x.npy and --labels y.npy together",
      );
    const dataset = await named();
    return { name: `${dataset.name} (${part})`, split: dataset[part], format: imageFormat(dataset) };
  }
  const { split, shape, pixels } = readPair(images, labels);
  const base = { classes: 1, imageShape: shape, pixels: pixels === "uint8" ? ("u8" as const) : ("f32" as const) };
  if (pixels === "float32") return { name: images, split, format: { ...base, mean: [0], std: [1] } };
  const { mean, std } = normalizeAsData ? await named() : statistics(split, shape);
  const by = normalizeAsData ? config.data.name : "their own mean and standard deviation";
  if (mean.length !== shape[0])
    throw new DataError(
      `${images}: ${shape[0]} channels, but ${config.data.name} is normalized in ${mean.length}`,
      { images, channels: shape[0] },
      "give float32 images, normalized as the network was trained",
    );
  return { name: `${images} (normalized by ${by})`, split, format: { ...base, mean, std } };
}

/** How many classes the weights tell apart: the length of the last bias, which every model of the registry ends with; 0 if it is missing. */
function classesOf(config: TrainConfig, format: ImageFormat, path: string): number {
  const last = modelOf(config, { ...format, classes: 1 }, 1).parameters.entries.at(-1)!;
  const { tensors } = decodeSafetensors(readFileSync(path), path);
  return tensors[last.name]?.shape[0] ?? 0;
}

/** Enough mini-batches to tell the sampling error. */
const DEFAULT_BATCHES = 8;

/** The first `asked` mini-batches of a split, in its order; only the last of all may be short. */
export function miniBatches(
  split: Split,
  { imageShape }: ImageFormat,
  batch: number,
  asked: number | "all",
): LossBatch[] {
  const all = Math.ceil(split.count / batch);
  const count = asked === "all" ? all : asked;
  if (count > all)
    throw new ConfigError(
      `--batches is ${count}, but ${split.count} images make ${all} mini-batches of ${batch}`,
      { count, all },
      "--batches all takes every image",
    );
  const size = sizeOf(imageShape);
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i * batch, Math.min((i + 1) * batch, split.count)];
    return {
      images: split.images.subarray(from * size, to * size),
      labels: split.labels.subarray(from, to),
      rows: to - from,
    };
  });
}
