import { existsSync } from "node:fs";
import { readRun } from "../../report/read-run.ts";
import type { EventListener } from "../../train/events.ts";
import type { TrainOutcome } from "../../train/loop.ts";
import { builtIn, datasetOf, type Registry } from "../../train/registry.ts";
import { runFiles } from "../../run/files.ts";
import { trainRun } from "../../train/run-dir.ts";
import { runTraining } from "../../train/run-training.ts";
import { ConfigError } from "../../util/errors.ts";
import type { ProbeLine } from "../../train/records.ts";
import type { StudyRun } from "./plan.ts";

/** How good v is at the moment a step uses it, by the probe. */
export interface Moment {
  readonly step: number;
  readonly eigenvalue: number;
  readonly ratio: number;
  readonly subspace: number;
}

const momentOf = ({ step, eigenvalue, ratio = Number.NaN, subspace = Number.NaN }: ProbeLine): Moment => ({
  step,
  eigenvalue,
  ratio,
  subspace,
});

export interface StudyResult {
  readonly name: string;
  readonly network: string;
  readonly solver: string;
  readonly seed: number;
  readonly steps: number;
  readonly moments: readonly Moment[];
  readonly testAccuracy: number;
  readonly trainLoss: number;
  /** Estimates and their Hessian-vector products in the whole run. */
  readonly estimates: number;
  readonly products: number;
  /** Time in estimates over time in steps. */
  readonly overhead: number;
}

/** Whether the run is complete; one that was made with other settings is an error, because its results would pass for these. */
export function isComplete({ config }: StudyRun, run: string): boolean {
  if (!existsSync(runFiles(run).config)) return false;
  trainRun.ensure(run, config);
  return trainRun.readRecord(run)?.status === "done";
}

/** Trains one run of the study in its directory, from its newest checkpoint if it has one, and judges v on the way. */
export async function studyRun(
  { config }: StudyRun,
  run: string,
  listen: EventListener,
  stop: AbortSignal,
  registry: Registry = builtIn,
): Promise<TrainOutcome> {
  const resume = existsSync(runFiles(run).config);
  trainRun.ensure(run, config);
  const dataset = await datasetOf(config, registry);
  return runTraining({ config, dataset, run, resume, listen, stop, registry });
}

/** What a complete run of the study shows. */
export function readStudy({ name, network, solver, config }: StudyRun, run: string): StudyResult {
  const { record, epochs, refreshes, epochTimes, refreshTimes, probes } = readRun(run);
  const steps = epochs.at(-1)?.step ?? 0;
  const judged = probes.map(({ step }) => step);
  const planned = config.probe.at;
  const { result } = record;
  if (result?.test === undefined || result.test === null || judged.join() !== planned.join())
    throw new ConfigError(
      `${run} was judged at steps ${judged.join(", ")}, expected ${planned.join(", ")}`,
      { run, judged, planned },
      "remove it, and run the study again",
    );
  const stepping = epochTimes.reduce((sum, { stepSeconds }) => sum + (stepSeconds * steps) / epochTimes.length, 0);
  return {
    name,
    network,
    solver,
    seed: config.seed,
    steps,
    moments: probes.map(momentOf),
    testAccuracy: result.test.accuracy ?? Number.NaN,
    trainLoss: result.train.loss,
    estimates: refreshes.length,
    products: refreshes.reduce((sum, { products = 0 }) => sum + products, 0),
    overhead: refreshTimes.reduce((sum, { seconds }) => sum + seconds, 0) / stepping,
  };
}
