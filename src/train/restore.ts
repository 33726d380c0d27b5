import { existsSync } from "node:fs";
import { isSplit, type Split } from "../data/dataset.ts";
import { type Digests, splitDigest } from "../data/digest.ts";
import { networkOf } from "../models/entry.ts";
import type { Targets } from "../nn/losses.ts";
import { declare } from "../nn/scope.ts";
import { ConfigError, DataError, InputError } from "../util/errors.ts";
import { showShape } from "../util/shape.ts";
import { checkpointsOf } from "../run/checkpoint.ts";
import { runFiles } from "../run/files.ts";
import type { TrainConfig } from "./config.ts";
import { createEvaluator } from "./evaluate.ts";
import type { Score } from "./records.ts";
import { builtIn, datasetOf, type Registry } from "./registry.ts";
import { compileOptions } from "./session.ts";
import { datasetFormat, type Format, formatOf, modelFor, taskOf } from "./task.ts";
import { readTensors, readWeights } from "./weights.ts";

/** The file of a run that holds its weights: the final ones, or the newest checkpoint's; `best` by the validation examples. */
export function weightsOfRun(run: string, best = false): string {
  const files = runFiles(run);
  const candidates = best ? [files.best] : [files.weights, ...checkpointsOf(run).toReversed()];
  const found = candidates.find(existsSync);
  if (found === undefined)
    throw new InputError(
      `${run}: there are no ${best ? "best " : ""}weights yet`,
      { run },
      "train it further, or give --weights FILE",
    );
  return found;
}

/** Weights as safetensors, and what is known of their training. */
export interface SavedWeights {
  readonly config: TrainConfig;
  readonly path: string;
  /** What their network takes and gives, as its run recorded it. */
  readonly format?: Format | undefined;
  /** Of the examples that the settings name, where they must be those of the run. */
  readonly digests?: Digests | undefined;
}

/** Examples, with what of them decides a graph. */
export interface FormedExamples {
  readonly name: string;
  readonly split: Split;
  readonly format: Format;
}

/**
 * The examples of a part of the configured data, in the format of the weights' network. Where that is known, no other part is read.
 * @throws DataError where they do not fit the network, or are others than the run's
 */
export async function examplesOf(
  saved: SavedWeights,
  part: "train" | "test",
  registry: Registry = builtIn,
): Promise<FormedExamples> {
  const { config, format: known } = saved;
  const alone = known && registry.datasets[config.data.name]!.part?.(config.data, part);
  const dataset = alone === undefined ? await datasetOf(config, registry) : undefined;
  const split = alone?.split ?? dataset?.[part];
  const name = `${dataset?.name ?? config.data.name} (${part})`;
  if (split === undefined || !isSplit(split))
    throw new ConfigError(`${name}: there are no such examples in memory`, { part }, "choose another --split");
  const digest = saved.digests?.[part];
  if (digest !== undefined && digest !== splitDigest(split))
    throw new DataError(
      `${name}: these are not the examples of the run of ${saved.path}`,
      { name, part },
      "put them back; or, to take others, name them: --set data.name=…, --set data.testImages=…",
    );
  const own = dataset ? datasetFormat(dataset) : { ...known!, inputShape: alone!.inputShape };
  return fitted(saved, { name, split, format: { ...own, dtype: formatOf(own, split.x).dtype } }, registry);
}

/**
 * Examples in the format of the weights' network: as its run recorded it, or their own with as many classes as the weights have.
 * @throws DataError where they do not fit it
 */
export function fitted(
  saved: SavedWeights,
  { name, split, format }: FormedExamples,
  registry: Registry = builtIn,
): FormedExamples {
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
  const modelOf = (classes: number) => {
    const network = networkOf(registry.models[config.model.name]!, { classes, ...config.model });
    return declare(network, [1, ...inputShape], dtype === "i32" ? "i32" : "f32");
  };
  const fixed = modelOf(2);
  const [two, three] = [fixed.parameters.entries, modelOf(3).parameters.entries];
  const tensors = readTensors(path, fixed);
  for (const [i, { name, shape }] of two.entries()) {
    const axis = shape.findIndex((length, at) => length !== three[i]!.shape[at]);
    const found = tensors[name]?.shape[axis];
    if (axis < 0 || found === undefined) continue;
    return { kind: "labels", classes: 2 + (found - shape[axis]!) / (three[i]!.shape[axis]! - shape[axis]!) };
  }
  // A network function of the caller's has as many outputs as it has.
  return { kind: "labels", classes: fixed.outputShape.at(-1) ?? targets.classes };
}

/** The format of the weights' network, without examples where its run recorded it. */
export async function formatOfWeights(saved: SavedWeights, registry: Registry = builtIn): Promise<Format> {
  if (saved.format) return saved.format;
  const format = datasetFormat(await datasetOf(saved.config, registry));
  return { ...format, targets: targetsOf(saved, format, registry) };
}

/** A trained network, restored from a file. */
export function loadModel({ config, path }: SavedWeights, format: Format, rows: number, registry: Registry = builtIn) {
  const task = taskOf(config, registry, format);
  return { task, weights: readWeights(path, modelFor(task, rows)) };
}

/** Mean loss and accuracy of saved weights on the test examples, or on the training examples as they are. */
export async function scoreWeights(
  saved: SavedWeights,
  part: "train" | "test",
  registry: Registry = builtIn,
): Promise<Score & { readonly n: number; readonly name: string }> {
  const { config } = saved;
  const { name, split, format } = await examplesOf(saved, part, registry);
  const { task, weights } = loadModel(saved, format, config.data.batch, registry);
  const evaluator = createEvaluator(task, config.data.batch, compileOptions(config));
  const score = await evaluator.score(weights, split);
  await evaluator.release();
  return { ...score, n: split.count, name };
}
