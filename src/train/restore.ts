import { existsSync } from "node:fs";
import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../nn/scope.ts";
import { InputError } from "../util/errors.ts";
import { checkpointsOf } from "../run/checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { evaluate, type Score } from "./evaluate.ts";
import { compileEvaluation } from "./graphs.ts";
import { imageFormat, modelOf } from "./problem.ts";
import { runFiles } from "../run/files.ts";
import { readWeights } from "./weights.ts";

/** The file of a run that holds its weights: the final ones, or the newest checkpoint's; `best` by validation accuracy. */
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

/** The part of a configuration that scoring needs. */
export type ScoringConfig = Pick<TrainConfig, "model" | "device" | "threads" | "data">;

export function loadModel(config: ScoringConfig, dataset: Dataset, path: string) {
  const format = imageFormat(dataset);
  const model: Model = modelOf(config, format, config.data.batch);
  return { format, model, weights: readWeights(path, model) };
}

/** Mean loss and accuracy of saved weights on the test images, or on the training images as they are. */
export async function scoreWeights(
  config: ScoringConfig,
  dataset: Dataset,
  path: string,
  part: "train" | "test",
): Promise<Score & { readonly n: number }> {
  const { format, model, weights } = loadModel(config, dataset, path);
  const evaluation = await compileEvaluation(config, model, format);
  const split = dataset[part];
  const score = await evaluate(evaluation, weights, split, model.inputShape);
  await evaluation.release();
  return { ...score, n: split.count };
}
