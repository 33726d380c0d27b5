import { existsSync } from "node:fs";
import { runFiles } from "../../run/files.ts";
import type { TrainConfig } from "../../train/config.ts";
import type { EventListener } from "../../train/events.ts";
import type { TrainOutcome } from "../../train/loop.ts";
import { builtIn, datasetOf, type Registry } from "../../train/registry.ts";
import { trainRun } from "../../train/run-dir.ts";
import { runTraining } from "../../train/run-training.ts";

/** One training run of a study. */
export interface StudyRun {
  readonly name: string;
  readonly network: string;
  /** What is compared, as tables and figures call it: a method, or a solver with its rate. */
  readonly arm: string;
  readonly config: TrainConfig;
}

/** Whether the run is complete; one that was made with other settings is an error, because its results would pass for these. */
export function isComplete({ config }: Pick<StudyRun, "config">, run: string): boolean {
  if (!existsSync(runFiles(run).config)) return false;
  trainRun.ensure(run, config);
  return trainRun.readRecord(run)?.status === "done";
}

/** Trains one run of a study in its directory, from its newest checkpoint if it has one, and judges v on the way. */
export async function studyRun(
  { config }: Pick<StudyRun, "config">,
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
