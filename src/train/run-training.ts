import type { Dataset } from "../data/dataset.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import type { EventListener } from "./events.ts";
import { trainLoop, type TrainOutcome } from "./loop.ts";
import { builtIn, datasetOf, type Registry } from "./registry.ts";
import { trainRun, trainRunOf } from "./run-dir.ts";
import { type Problem, problemOf } from "./session.ts";
import { directoryStore } from "./store.ts";

export interface RunHooks {
  readonly listen: EventListener;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
}

export interface RunArgs extends RunHooks {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  /** A run directory with its settings in it. */
  readonly run: string;
  /** Resume from its newest checkpoint. */
  readonly resume: boolean;
  readonly registry?: Registry;
}

/** Trains in a run directory, from its beginning or its newest checkpoint. A start that fails leaves no directory behind. */
export async function runTraining({
  config,
  dataset,
  run,
  resume,
  registry = builtIn,
  ...hooks
}: RunArgs): Promise<TrainOutcome> {
  try {
    return await trainIn(run, problemOf(config, dataset, registry), { ...hooks, resume, registry });
  } catch (error) {
    if (!resume) trainRun.discard(run, config);
    throw error;
  }
}

/** The same for a problem that is made already. ConfigError where another process is at work on the run, or it is complete. */
export const trainIn = (
  run: string,
  problem: Problem,
  { resume, registry = builtIn, ...hooks }: RunHooks & Pick<RunArgs, "resume" | "registry">,
): Promise<TrainOutcome> => {
  const onWait = (message: string) => hooks.listen({ event: "wait", run, message });
  return trainRunOf(registry).alone(run, problem.config, onWait, async (claim) => {
    const standing = resume ? readCheckpoint(run, problem) : undefined;
    return trainLoop({ ...hooks, problem, standing, open: (from) => directoryStore(run, problem, from, claim) });
  });
};

/** Begins a run in its directory, or resumes it there from its newest checkpoint. ConfigError where it was begun with other settings. */
export async function trainOrResume({
  config,
  run,
  registry = builtIn,
  ...hooks
}: Omit<RunArgs, "dataset" | "resume">) {
  const resume = !(await trainRunOf(registry).ensure(run, config));
  return runTraining({ ...hooks, config, run, resume, registry, dataset: await datasetOf(config, registry) });
}
