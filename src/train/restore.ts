import { existsSync } from "node:fs";
import type { SplitName } from "../data/digest.ts";
import { InputError } from "../util/errors.ts";
import { checkpointsOf } from "../run/checkpoint.ts";
import { runFiles } from "../run/files.ts";
import { type ClassRequest, type ClassScores, scoreClasses } from "./class-scores.ts";
import { createEvaluator } from "./evaluate.ts";
import { examplesOf, type SavedWeights } from "./examples.ts";
import type { Score } from "./records.ts";
import { withStatistics } from "./reestimate.ts";
import { builtIn, type Registry } from "./registry.ts";
import { compileOptions } from "./session.ts";
import { type Format, modelFor, taskOf } from "./task.ts";
import { readWeights, type Weights } from "./weights.ts";

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
export function loadModel({ config, path }: SavedWeights, format: Format, rows: number, registry: Registry = builtIn) {
  const task = taskOf(config, registry, format);
  return { task, weights: readWeights(path, modelFor(task, rows)) };
}

/** The weights with running statistics of the configured data's training examples, also where others are scored. */
async function takenAnew(saved: SavedWeights, weights: Weights, batches: number, registry: Registry): Promise<Weights> {
  const { config } = saved;
  const { split, format } = await examplesOf({ ...saved, arrays: undefined }, "train", registry);
  const options = { batches, batch: config.data.batch, seed: config.seed };
  return withStatistics(taskOf(config, registry, format), weights, split, options, compileOptions(config));
}

/** How saved weights are scored. */
export interface ScoreRequest extends ClassRequest {
  /** Training mini-batches from which the running statistics of batch norm are taken anew before; left out, those of the file. */
  readonly bnBatches?: number;
}

/**
 * Mean loss and accuracy of saved weights on a part of the configured data, or on arrays of the user, without augmentation; scores by
 * class on request.
 */
export async function scoreWeights(
  saved: SavedWeights,
  part: SplitName,
  registry: Registry = builtIn,
  { bnBatches, ...request }: ScoreRequest = {},
): Promise<Score & ClassScores & { readonly n: number; readonly name: string }> {
  const { config } = saved;
  const { name, split, format } = await examplesOf(saved, part, registry);
  const { task, weights: stored } = loadModel(saved, format, config.data.batch, registry);
  const weights = bnBatches === undefined ? stored : await takenAnew(saved, stored, bnBatches, registry);
  const evaluator = createEvaluator(task, config.data.batch, compileOptions(config));
  const score = await evaluator.score(weights, split);
  const byClass = await scoreClasses(task, evaluator, weights, split, request);
  await evaluator.release();
  return { ...score, n: split.count, name, ...byClass };
}
