import { type Dataset, isSplit, type Split } from "../data/dataset.ts";
import { type Digests, splitDigest, type SplitName } from "../data/digest.ts";
import { readPair, statistics } from "../data/npy.ts";
import { partsOf } from "../data/split.ts";
import type { Targets } from "../nn/losses.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { showShape } from "../util/shape.ts";
import type { TrainConfig } from "./config.ts";
import { builtIn, datasetOf, type Registry } from "./registry.ts";
import { headOf, modelOfClasses } from "./head.ts";
import { datasetFormat, type Format, formatOf } from "./task.ts";
import { readTensors } from "./weights.ts";

/** Weights as safetensors, what is known of their training, and the examples to use them on. */
export interface SavedWeights {
  readonly config: TrainConfig;
  readonly path: string;
  /** Their run, whose settings say which examples it kept for validation; left out for a file without one. */
  readonly run?: string | undefined;
  /** What their network takes and gives, as its run recorded it. */
  readonly format?: Format | undefined;
  /** Of the run's examples. */
  readonly digests?: Digests | undefined;
  /** Whether the settings name other examples than the run's, on purpose. */
  readonly others?: boolean;
  /** Images and labels to use instead of a part of the data set. */
  readonly arrays?: OwnArrays | undefined;
}

/** Images and labels of the user, .npy files. */
export interface OwnArrays {
  readonly images: string;
  readonly labels: string;
  /** Normalize uint8 images as the configured data set; else by their own mean and standard deviation. */
  readonly normalizeAsData: boolean;
}

/** @throws ConfigError where one was given without the other, or is empty */
export function ownArrays(
  images: string | undefined,
  labels: string | undefined,
  normalizeAsData: boolean,
): OwnArrays | undefined {
  for (const [option, path] of Object.entries({ images, labels }))
    if (path === "")
      throw new ConfigError(`--${option} is empty`, { option }, "give a path; is a variable of the shell not set?");
  if (images !== undefined && labels !== undefined) return { images, labels, normalizeAsData };
  if (images === undefined && labels === undefined) return undefined;
  throw new ConfigError(
    `--${images === undefined ? "labels" : "images"} was given alone`,
    { images, labels },
    "give --images x.npy and --labels y.npy together",
  );
}

/** Examples, with what of them decides a graph. */
export interface FormedExamples {
  readonly name: string;
  readonly split: Split;
  readonly format: Format;
}

/**
 * The examples to use weights on, in the format of their network: arrays of the user, or a part of the configured data. Of a run's data,
 * `train` is what it trained on and `val` what it kept aside. Where the format is known, no other part is read.
 * @throws ConfigError where there is no such part
 * @throws DataError where they do not fit the network, or are others than the run's
 */
export async function examplesOf(
  saved: SavedWeights,
  part: SplitName,
  registry: Registry = builtIn,
): Promise<FormedExamples> {
  if (saved.arrays) return examplesOfArrays(saved, saved.arrays, registry);
  const { config, format: known, run, path } = saved;
  if (part === "val" && run === undefined)
    throw new ConfigError(
      `${path} is no run: which examples it kept for validation is not known`,
      { path, part },
      "give its run directory, or another --split",
    );
  const read = part === "test" ? "test" : "train";
  const alone = known && (await registry.datasets[config.data.name]!.part?.(config.data, read, known));
  const dataset = alone === undefined ? await datasetOf(config, registry) : undefined;
  const name = `${dataset?.name ?? config.data.name} (${part})`;
  const split = partOf(saved, part, alone ? { [read]: alone.split } : dataset!, name);
  const own = dataset ? datasetFormat(dataset) : { ...known!, inputShape: alone!.inputShape };
  return fitted(saved, { name, split, format: { ...own, dtype: formatOf(own, split.x).dtype } }, registry);
}

type Parts = Partial<Pick<Dataset, SplitName>>;

function partOf(
  { config, path, run, digests, others, format }: SavedWeights,
  part: SplitName,
  parts: Parts,
  name: string,
) {
  const from = part === "val" && parts.val === undefined ? "train" : part;
  const all = parts[from];
  if (all === undefined || !isSplit(all))
    throw new ConfigError(`${name}: there are no such examples in memory`, { part }, "choose another --split");
  const digest = digests?.[from];
  const same = digest === undefined ? others !== true : digest === splitDigest(all);
  if (!same && (others !== true || part === "val"))
    throw new DataError(
      `${name}: these are not the examples of the run of ${path}`,
      { name, part },
      others === true
        ? "of other examples it kept none for validation: choose another --split"
        : "put them back; or name others: --images x.npy --labels y.npy, or --set data.name=…",
    );
  if (from !== "train" || run === undefined || !same) return all;
  const parted = partsOf({ train: all, val: parts.val }, config.data, config.seed, format?.targets);
  const kept = parted[part === "val" ? "val" : "train"];
  if (kept === undefined)
    throw new ConfigError(
      `${name}: ${run} kept no examples for validation, data.validation is ${config.data.validation}`,
      { run, part },
      "give --split test or train",
    );
  return kept;
}

async function examplesOfArrays(
  saved: SavedWeights,
  { images, labels, normalizeAsData }: OwnArrays,
  registry: Registry,
): Promise<FormedExamples> {
  const { config } = saved;
  const { split, shape, pixels } = readPair(images, labels, config.data.layout);
  const base = { targets: { kind: "labels", classes: 1 }, inputShape: shape } as const;
  const given = (name: string, format: Pick<Format, "dtype" | "mean" | "std">) =>
    fitted(saved, { name, split, format: { ...base, ...format } }, registry);
  if (pixels === "float32") return given(images, { dtype: "f32", mean: [0], std: [1] });
  const recorded = saved.format?.dtype === "u8" ? saved.format : undefined;
  const { mean, std } = normalizeAsData ? (recorded ?? (await datasetOf(config, registry))) : statistics(split, shape);
  const by = normalizeAsData ? config.data.name : "their own mean and standard deviation";
  if (mean.length !== shape[0])
    throw new DataError(
      `${images}: ${shape[0]} channels, but ${config.data.name} is normalized in ${mean.length}`,
      { images, channels: shape[0] },
      "give float32 images, normalized as the network was trained",
    );
  return given(`${images} (normalized by ${by})`, { dtype: "u8", mean, std });
}

/**
 * Examples in the format of the weights' network: as its run recorded it, or their own with as many classes as the weights have.
 * @throws DataError where they do not fit it
 */
function fitted(saved: SavedWeights, { name, split, format }: FormedExamples, registry: Registry): FormedExamples {
  const own = saved.format ?? { ...format, targets: targetsOf(saved, format, registry) };
  const data = { name, path: saved.path };
  if (own.inputShape.join() !== format.inputShape.join())
    throw new DataError(
      `${name}: examples ${showShape(format.inputShape)}, but the network of ${saved.path} takes ${showShape(own.inputShape)}`,
      data,
      "do examples and weights belong together?",
    );
  // Real numbers are used as they are, so they may stand for pixels that the caller has normalized; for nothing else.
  if (own.dtype !== format.dtype && !(own.dtype === "u8" && format.dtype === "f32"))
    throw new DataError(
      `${name}: examples of type ${format.dtype}, but the network of ${saved.path} was trained on ${own.dtype}`,
      data,
      "give float32, as the network was trained",
    );
  if (own.targets.kind !== format.targets.kind)
    throw new DataError(`${name}: targets are ${format.targets.kind}, the network's are ${own.targets.kind}`, data);
  if (own.targets.kind === "labels") assertWithin(own.targets.classes, name, split, saved.path);
  return { name, split, format: { ...own, dtype: format.dtype } };
}

function assertWithin(classes: number, name: string, { y }: Split, path: string): void {
  let largest = 0;
  for (const label of y) largest = Math.max(largest, label);
  if (largest >= classes)
    throw new DataError(
      `${name}: there is a label ${largest}, but the weights of ${path} have ${classes} classes`,
      { largest, classes, path },
      "labels begin at 0; do images and weights belong together?",
    );
}

/** Targets with as many classes as the weights have: their shapes grow with that number at some place. */
function targetsOf(
  { config, path }: SavedWeights,
  { targets, inputShape, dtype }: Format,
  registry: Registry,
): Targets {
  if (targets.kind !== "labels") return targets;
  const entry = registry.models[config.model.name]!;
  const fixed = modelOfClasses(entry, config.model, { inputShape, dtype }, 2);
  const tensors = readTensors(path, fixed);
  for (const { name, axis, length } of headOf(entry, config.model, { inputShape, dtype })) {
    const found = tensors[name]?.shape[axis];
    if (found !== undefined) return { ...targets, classes: 2 + (found - length(2)) / (length(3) - length(2)) };
  }
  // A network function of the caller's has as many outputs as it has.
  return { ...targets, classes: fixed.outputShape.at(-1) ?? targets.classes };
}

/** The format of the weights' network, without examples where its run recorded it. */
export async function formatOfWeights(saved: SavedWeights, registry: Registry = builtIn): Promise<Format> {
  if (saved.format) return saved.format;
  if (saved.arrays) return (await examplesOfArrays(saved, saved.arrays, registry)).format;
  const format = datasetFormat(await datasetOf(saved.config, registry));
  return { ...format, targets: targetsOf(saved, format, registry) };
}
