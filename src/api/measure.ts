import { isWeightsFile } from "../util/files.ts";
import { type CurvatureRequest, measureProblem, STANDARD } from "../curvature/measure.ts";
import { curvatureProblem } from "../curvature/problem.ts";
import type { CurvatureResult } from "../curvature/result.ts";
import type { SplitName } from "../data/digest.ts";
import type { DatasetName } from "../data/index.ts";
import { trainRun } from "../train/run-dir.ts";
import { ownArrays } from "../train/examples.ts";
import { weightsOfRun } from "../train/restore.ts";
import { checkConfig } from "../train/settings.ts";
import { InputError } from "../util/errors.ts";
import type { HessianChoices, ModelChoice } from "./options.ts";

/** What is measured of saved weights, and on which examples. */
export interface MeasureOptions extends Partial<CurvatureRequest>, HessianChoices {
  /** The network of a weights file; a run directory knows its own. */
  readonly model?: ModelChoice;
  /** The data set of a weights file, and how its images are normalized. */
  readonly data?: DatasetName;
  /** Images and labels of your own as .npy files, instead of a data set's. */
  readonly images?: string;
  readonly labels?: string;
  /** Which examples of the data set; of a run's, `train` is what it trained on and `val` what it kept for validation. */
  readonly split?: SplitName;
  /** Examples in each mini-batch; left out, 128 or the run's. */
  readonly batch?: number;
}

/**
 * Measures the Hessian of saved weights: of a run directory, or of a file of weights (safetensors or `.pth`) with `model`. The same as
 * `eigensam curvature`; nothing is written.
 *
 * @throws ConfigError, InputError or DataError where weights, model and examples do not belong together
 * @example
 * ```ts
 * const model = { name: "mlp", width: 4 } as const;
 * await train({ data: "fashion-mini", model, epochs: 1, batch: 1000, method: "sgd", dir: "runs/measured" }).done;
 * const { eigenvalues } = await measureCurvature("runs/measured", { top: 2, batches: 1 });
 * console.log(eigenvalues.length); // 2
 * ```
 */
export async function measureCurvature(source: string, options: MeasureOptions = {}): Promise<CurvatureResult> {
  const {
    model,
    data,
    images,
    labels,
    split = "train",
    batches,
    batch,
    order = "random",
    bn = "batch",
    dtype = "f32",
    ...request
  } = options;
  const { seed = STANDARD.seed } = request;
  const isFile = isWeightsFile(source);
  if (isFile && model === undefined)
    throw new InputError(`${source}: the network is not known`, { source }, "give model: { name: … }");
  const base = isFile ? checkConfig({ model, data: data ? { name: data } : {} }) : trainRun.readConfig(source);
  const config = batch === undefined ? base : { ...base, data: { ...base.data, batch } };
  const path = isFile ? source : weightsOfRun(source);
  const run = isFile ? undefined : source;
  const arrays = ownArrays(images, labels, !isFile || data !== undefined);
  const problem = await curvatureProblem({ config, path, run, arrays, split, batches, order, seed, bn, dtype });
  return measureProblem(problem, request);
}
