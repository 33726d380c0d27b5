import { join } from "node:path";
import { resultsIn } from "../../sweep/results.ts";
import { recordFailure } from "../../sweep/status.ts";
import { type Sweep, trialsOf } from "../../sweep/sweep.ts";
import type { SweepRun } from "../../sweep/trials.ts";
import type { TrainEvent } from "../../train/events.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { trainOrResume } from "../../train/run-training.ts";
import { ConfigError, EigensamError } from "../../util/errors.ts";
import { registry } from "../plugins.ts";
import { stopOnSignals } from "../stop.ts";
import { progressView } from "../train/progress.ts";
import { emit, say } from "../ui.ts";
import { elementHere, requeue, stopUnderSlurm } from "./requeue.ts";

interface TaskOptions {
  /** Ends after this epoch, where the schedule of the run is longer. */
  readonly until?: number | undefined;
  /** As an element of a job array: how often it may have been requeued. */
  readonly requeue?: number | undefined;
  readonly json: boolean;
}

/** The runs of a sweep in the order of their numbers: seed by seed, so that one that is cut off has complete comparisons. */
export const runsInOrder = (sweep: Sweep): SweepRun[] => {
  const trials = trialsOf(sweep);
  return sweep.definition.seeds.flatMap((_, s) => trials.map(({ runs }) => runs[s]!));
};

/**
 * Makes one run of a sweep, named or by its number from 0, from where it stands: a run that is complete is left alone, so it may be
 * asked for any number of times, on any machine that shares the folder.
 */
export async function makeTask(
  sweep: Sweep,
  which: string,
  { until, requeue: most, json }: TaskOptions,
): Promise<void> {
  const run = taskOf(sweep, which);
  const trainRun = trainRunOf(registry());
  const path = join(sweep.out, run.name);
  const results = resultsIn(sweep, trainRun);
  if (results.final(run) !== undefined || (until !== undefined && results.atEpoch(run, until) !== undefined)) {
    say(`${run.name} is complete`);
    return;
  }
  const element = most === undefined ? undefined : elementHere();
  const underSlurm = element && most !== undefined ? { element, most, stop: stopUnderSlurm() } : undefined;
  const { signal, status } = underSlurm?.stop ?? stopOnSignals();
  const far = new AbortController();
  const show = progressView();
  const listen = (event: TrainEvent) => {
    show(event);
    if (json && event.event !== "step") emit(event);
    if (event.event === "epoch" && event.epoch === until) far.abort();
  };
  try {
    const outcome = await trainOrResume({
      ...{ config: run.config, run: path, registry: registry() },
      ...{ listen, stop: AbortSignal.any([signal, far.signal]) },
    });
    recordFailure(sweep.out, run, undefined);
    if (outcome.status === "done" || far.signal.aborted) return;
    say(`stopped after step ${outcome.step}; the same command resumes it`);
    process.exitCode = status();
  } catch (error) {
    // Another process has the run, and does not fail by this one's mistake.
    if (error instanceof EigensamError && error.data.pid === undefined) recordFailure(sweep.out, run, error.what);
    throw error;
  }
  if (underSlurm) await requeue({ ...underSlurm, out: sweep.out });
}

function taskOf(sweep: Sweep, which: string): SweepRun {
  const runs = runsInOrder(sweep);
  const found = /^\d+$/.test(which) ? runs[Number(which)] : runs.find(({ name, id }) => name === which || id === which);
  if (found) return found;
  throw new ConfigError(
    `${sweep.definition.name} has no run ${which}`,
    { which, runs: runs.length },
    `give a number below ${runs.length}, or the name of a run`,
  );
}
