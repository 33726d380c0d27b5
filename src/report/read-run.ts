import type { ProbeLine, StepLine } from "../train/records.ts";
import { trainRun } from "../train/run-dir.ts";
import { InputError } from "../util/errors.ts";

/** Reads a run directory of training. InputError where one of its files is damaged, of another kind or of another version. */
export function readRun(path: string) {
  const record = trainRun.readRecord(path);
  if (record === undefined)
    throw new InputError(
      `${path} has no run.json: no step was taken yet`,
      { path },
      `eigensam train --resume ${path} starts it again`,
    );
  const metrics = trainRun.readMetrics(path);
  const timings = trainRun.readTimings(path);
  const steps: readonly StepLine[] = metrics.filter((line) => line.kind === "step");
  const probes: readonly ProbeLine[] = metrics.filter((line) => line.kind === "probe");
  return {
    path,
    record,
    steps,
    probes,
    epochs: metrics.filter((line) => line.kind === "epoch"),
    refreshes: metrics.filter((line) => line.kind === "refresh"),
    epochTimes: timings.filter((line) => line.kind === "epoch"),
    refreshTimes: timings.filter((line) => line.kind === "refresh"),
    probeTimes: timings.filter((line) => line.kind === "probe"),
  };
}

/** A run directory of training, read. */
export type Run = Readonly<ReturnType<typeof readRun>>;
