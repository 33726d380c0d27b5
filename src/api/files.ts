import { type CurvatureRequest, measureProblem } from "../curvature/measure.ts";
import { curvatureProblem } from "../curvature/problem.ts";
import type { CurvatureResult } from "../curvature/result.ts";
import { readBytes } from "../data/files.ts";
import type { DatasetName } from "../data/index.ts";
import { trainRun } from "../train/run-dir.ts";
import { datasetOf } from "../train/registry.ts";
import { weightsOfRun } from "../train/restore.ts";
import { problemOf } from "../train/session.ts";
import { checkConfig } from "../train/settings.ts";
import { readWeights as readModelWeights } from "../train/weights.ts";
import { InputError } from "../util/errors.ts";
import { writeAtomic } from "../util/files.ts";
import { decodeSafetensors, encodeSafetensors } from "../util/safetensors.ts";
import type { ModelChoice } from "./options.ts";
import { type NamedArray, type Trained, trainedOf } from "./trained.ts";
import { copyRun } from "../run/copy.ts";
import { initialState } from "../train/state.ts";

/**
 * Reads the named arrays of a safetensors file, saved by PyTorch or by this library. Numbers other than float32 are
 * converted; the arrays are yours.
 *
 * @throws DataError where the file cannot be read; InputError where it is damaged
 * @example
 * ```ts
 * writeWeights("bias.safetensors", { "out.bias": { data: Float32Array.of(1, 2), shape: [2] } });
 * console.log(readWeights("bias.safetensors")["out.bias"]?.data); // [1, 2]
 * ```
 */
export function readWeights(path: string): Record<string, NamedArray> {
  const { tensors } = decodeSafetensors(readBytes(path, "give the path of a safetensors file"), path);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data, Number) }]),
  );
}

/**
 * Writes named arrays as a float32 safetensors file that PyTorch reads. The file is written whole or not at all; an
 * existing one is replaced.
 *
 * @throws InputError where an array does not fill its shape
 * @example
 * ```ts
 * writeWeights("net.safetensors", { weight: { data: new Float32Array(6), shape: [2, 3] } });
 * console.log(readWeights("net.safetensors").weight?.shape); // [2, 3]
 * ```
 */
export function writeWeights(path: string, weights: Readonly<Record<string, NamedArray>>): void {
  const tensors = Object.entries(weights).map(([name, { shape, data }]) => [
    name,
    { dtype: "F32" as const, shape, data },
  ]);
  writeAtomic(path, encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
}

/**
 * Reads the trained network of a run directory: its last weights, or those of its newest checkpoint. The run must have
 * built-in data, model, method and loss. Nothing is written.
 *
 * @throws InputError where the folder is no run directory, or has no weights yet
 * @throws ConfigError where its settings name what only its program or plugin knew
 * @example
 * ```ts
 * const model = { name: "mlp", width: 4 } as const;
 * await train({ data: "fashion-mini", model, epochs: 1, batch: 1000, method: "sgd", dir: "runs/loaded" }).done;
 * const { status, steps } = await loadRun("runs/loaded");
 * console.log(status, steps); // done 9
 * ```
 */
export async function loadRun(dir: string): Promise<Trained> {
  const config = trainRun.readConfig(dir);
  const problem = problemOf(config, await datasetOf(config));
  const { model, optimizer, method } = problem;
  const weights = readModelWeights(weightsOfRun(dir), model);
  const { status, result } = trainRun.readRecord(dir) ?? { status: "stopped" as const, result: undefined };
  const metrics = trainRun.readMetrics(dir);
  const epoch = metrics.findLast((line) => line.kind === "epoch");
  const step = metrics.findLast((line) => line.kind === "step");
  const state = { ...initialState(model, optimizer, method, config.seed), ...weights, step: (step?.step ?? -1) + 1 };
  const last = epoch ? { train: epoch.train, val: epoch.val } : null;
  const ended = { state, last };
  const outcome =
    status === "done" && result
      ? ({ ...ended, status, result } as const)
      : ({ ...ended, status: "stopped", step: state.step, checkpoint: undefined } as const);
  return trainedOf(problem, outcome, { dir, saveTo: (target) => copyRun(dir, target), seconds: result?.seconds ?? 0 });
}

/** What is measured of saved weights, and on which examples. */
export interface MeasureOptions extends Partial<CurvatureRequest> {
  /** The network of a weights file; a run directory knows its own. */
  readonly model?: ModelChoice;
  /** The data set of a weights file, and how its images are normalized. */
  readonly data?: DatasetName;
  /** Images and labels of your own as .npy files, instead of a data set's. */
  readonly images?: string;
  readonly labels?: string;
  /** Which examples of the data set. */
  readonly split?: "train" | "test";
  /** Mini-batches from the beginning; left out, eight of a data set or all of your own images. */
  readonly batches?: number | "all";
  /** Examples in each mini-batch; left out, 128 or the run's. */
  readonly batch?: number;
  /** Batch norm by each mini-batch's statistics (the default), or by running ones. */
  readonly bn?: "batch" | "running";
  readonly dtype?: "f32" | "f64";
}

/**
 * Measures the Hessian of saved weights: of a run directory, or of a safetensors file with `model`. The same as
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
    bn = "batch",
    dtype = "f32",
    ...request
  } = options;
  const isFile = source.endsWith(".safetensors");
  if (isFile && model === undefined)
    throw new InputError(`${source}: the network is not known`, { source }, "give model: { name: … }");
  const base = isFile ? checkConfig({ model, data: data ? { name: data } : {} }) : trainRun.readConfig(source);
  const config = batch === undefined ? base : { ...base, data: { ...base.data, batch } };
  const path = isFile ? source : weightsOfRun(source);
  const normalizeAsData = !isFile || data !== undefined;
  const problem = await curvatureProblem({ config, path, images, labels, normalizeAsData, split, batches, bn, dtype });
  return measureProblem(problem, request);
}
