import { resultsIn } from "../../sweep/results.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { trainUnit } from "../../sweep/train-unit.ts";
import type { SweepRun } from "../../sweep/trials.ts";
import { runsInOrder } from "../../sweep/units.ts";
import type { TrainEvent } from "../../train/events.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { ConfigError } from "../../util/errors.ts";
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
  const results = resultsIn(sweep, trainRunOf(registry()));
  if (results.final(run) !== undefined || (until !== undefined && results.atEpoch(run, until) !== undefined)) {
    say(`${run.name} is complete`);
    return;
  }
  const element = most === undefined ? undefined : elementHere();
  const underSlurm = element && most !== undefined ? { element, most, stop: stopUnderSlurm() } : undefined;
  const { signal, status } = underSlurm?.stop ?? stopOnSignals();
  const show = progressView();
  const listen = (event: TrainEvent) => {
    show(event);
    if (json && event.event !== "step") emit(event);
  };
  const unit = { run, ...(until === undefined ? {} : { untilEpoch: until }) };
  const end = await trainUnit(sweep, unit, { listen, stop: signal, registry: registry() });
  if (end.status === "done") return;
  say(`stopped after step ${end.step}; the same command resumes it`);
  process.exitCode = status();
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
