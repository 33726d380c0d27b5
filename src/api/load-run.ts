import { checkpointsOf } from "../run/checkpoint.ts";
import { copyRun } from "../run/copy.ts";
import { datasetOf } from "../train/registry.ts";
import { weightsOfRun } from "../train/restore.ts";
import { trainRun } from "../train/run-dir.ts";
import { problemOf } from "../train/session.ts";
import { initialState } from "../train/state.ts";
import { readWeights } from "../train/weights.ts";
import { type Trained, trainedOf } from "./trained.ts";

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
  const weights = readWeights(weightsOfRun(dir), model);
  const { status, result } = trainRun.readRecord(dir) ?? { status: "stopped" as const, result: undefined };
  const metrics = trainRun.readMetrics(dir);
  const epoch = metrics.findLast((line) => line.kind === "epoch");
  // Steps beyond the newest checkpoint may be recorded where a run was killed; its weights do not have them.
  const recorded = (metrics.findLast((line) => line.kind === "step")?.step ?? -1) + 1;
  const kept = checkpointsOf(dir).length > 0 ? trainRun.restore(dir, ({ progress }) => progress.step) : undefined;
  const step = kept ?? recorded;
  const state = { ...initialState(model, optimizer, method, config.seed), ...weights, step };
  const last = epoch ? { train: epoch.train, val: epoch.val } : null;
  const ended = { state, last };
  const outcome =
    status === "done" && result
      ? ({ ...ended, status, result } as const)
      : ({ ...ended, status: "stopped", step: state.step, checkpoint: undefined } as const);
  return trainedOf(problem, outcome, { dir, saveTo: (target) => copyRun(dir, target), seconds: result?.seconds ?? 0 });
}
