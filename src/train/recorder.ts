import type { Model } from "../nn/scope.ts";
import { type Progress, writeCheckpoint } from "./checkpoint.ts";
import { openLog } from "./log-file.ts";
import { runFiles } from "./run-dir.ts";
import type { TrainState } from "./state.ts";

/** Writes what a run leaves behind. */
export interface Recorder {
  /** The newest checkpoint. */
  readonly checkpoint: string | undefined;
  /** Time spent on the run, sessions before this one included. */
  seconds(): number;
  /** Lines that depend on settings and seed alone. */
  metrics(line: object): void;
  /** Lines that differ from one machine and moment to the next. */
  timings(line: object): void;
  /** Writes a checkpoint from which the run goes on exactly here. */
  save(state: TrainState, progress: Progress): void;
  close(): void;
}

export function openRecorder(run: string, model: Model, from: Progress, newest: string | undefined): Recorder {
  const files = runFiles(run);
  const metrics = openLog(files.metrics, from.metricsBytes);
  const timings = openLog(files.timings, from.timingsBytes);
  const begun = performance.now();
  let checkpoint = newest;
  const seconds = () => from.seconds + (performance.now() - begun) / 1000;
  return {
    get checkpoint() {
      return checkpoint;
    },
    seconds,
    metrics: metrics.append,
    timings: timings.append,
    save: (state, progress) => {
      metrics.sync();
      timings.sync();
      const lengths = { metricsBytes: metrics.bytes, timingsBytes: timings.bytes, seconds: seconds() };
      checkpoint = writeCheckpoint(run, model, state, { ...progress, ...lengths });
    },
    close: () => {
      metrics.close();
      timings.close();
    },
  };
}
