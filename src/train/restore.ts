import { existsSync } from "node:fs";
import { type Dataset, isSplit } from "../data/dataset.ts";
import type { Model } from "../nn/scope.ts";
import { ConfigError, InputError } from "../util/errors.ts";
import { checkpointsOf } from "../run/checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { createEvaluator } from "./evaluate.ts";
import type { Score } from "./records.ts";
import { builtIn, type Registry } from "./registry.ts";
import { runFiles } from "../run/files.ts";
import { compileOptions } from "./session.ts";
import { datasetFormat, modelFor, taskOf } from "./task.ts";
import { readWeights } from "./weights.ts";

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

/** A trained network, restored from a file. */
export function loadModel(config: TrainConfig, dataset: Dataset, path: string, registry: Registry = builtIn) {
  const task = taskOf(config, registry, datasetFormat(dataset));
  const model: Model = modelFor(task, config.data.batch);
  return { task, model, weights: readWeights(path, model) };
}

/** Mean loss and accuracy of saved weights on the test examples, or on the training examples as they are. */
export async function scoreWeights(
  config: TrainConfig,
  dataset: Dataset,
  path: string,
  part: "train" | "test",
  registry: Registry = builtIn,
): Promise<Score & { readonly n: number }> {
  const split = dataset[part];
  if (split === undefined || !isSplit(split))
    throw new ConfigError(`${dataset.name} has no ${part} examples to score`, { part }, "choose another --split");
  const { task, weights } = loadModel(config, dataset, path, registry);
  const evaluator = createEvaluator(task, config.data.batch, compileOptions(config));
  const score = await evaluator.score(weights, split);
  await evaluator.release();
  return { ...score, n: split.count };
}
