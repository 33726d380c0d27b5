import type { Dataset } from "../data/dataset.ts";
import type { TrainConfig } from "./config.ts";
import type { EventListener } from "./events.ts";
import { trainLoop, type TrainOutcome } from "./loop.ts";
import type { Probe } from "./probe.ts";
import { builtIn, type Registry } from "./registry.ts";
import { problemOf } from "./session.ts";
import { directoryStore, standingOf } from "./store.ts";

export interface RunArgs {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  /** A run directory with its settings in it. */
  readonly run: string;
  /** Resume from its newest checkpoint. */
  readonly resume: boolean;
  readonly listen: EventListener;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
  readonly registry?: Registry;
  readonly probe?: Probe;
}

/** Trains in a run directory, from its beginning or its newest checkpoint. */
export function runTraining({
  config,
  dataset,
  run,
  resume,
  registry = builtIn,
  ...rest
}: RunArgs): Promise<TrainOutcome> {
  const problem = problemOf(config, dataset, registry);
  const standing = resume ? standingOf(run, problem) : undefined;
  return trainLoop({
    ...rest,
    problem,
    standing,
    open: (from) => directoryStore(run, problem, from),
  });
}
