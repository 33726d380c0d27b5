import { writeAtomic } from "../util/files.ts";
import { type Progress, readCheckpoint } from "./checkpoint.ts";
import { openRecorder } from "./recorder.ts";
import { type RunResult, type RunStatus, runFiles, writeRecord } from "./run-dir.ts";
import { newRecord } from "./run-record.ts";
import type { Problem } from "./session.ts";
import type { TrainState } from "./state.ts";
import { encodeWeights, type Weights } from "./weights.ts";

/** Where a run leaves what it makes: a run directory, or memory. */
export interface RunStore {
  /** As messages call it: the directory, or "memory". */
  readonly run: string;
  /** The newest checkpoint, where one is kept. */
  readonly checkpoint: string | undefined;
  /** Time spent on the run, sessions before this one included. */
  seconds(): number;
  /** Lines that depend on settings and seed alone. */
  metrics(line: object): void;
  /** Lines that differ from one machine and moment to the next. */
  timings(line: object): void;
  /** Keeps a checkpoint from which the run resumes exactly here. */
  save(state: TrainState, progress: Progress): void;
  /** Keeps weights: the last ones, or the best so far by the validation examples. */
  keep(which: "last" | "best", weights: Weights): void;
  /** What the run is and how it stands. */
  record(status: RunStatus, end?: { readonly result?: RunResult; readonly error?: string }): void;
  close(): void;
}

/** Where a run stands: at the beginning, or where a checkpoint was written. */
export interface Standing {
  readonly state: TrainState;
  readonly progress: Progress;
  /** The checkpoint it was read from. */
  readonly path?: string;
}

export const BEGINNING: Progress = {
  step: 0,
  epoch: 0,
  stepInEpoch: 0,
  sums: { loss: 0, correct: 0, images: 0 },
  last: null,
  best: null,
  metricsBytes: 0,
  timingsBytes: 0,
  seconds: 0,
};

/** The newest checkpoint of a run directory; undefined where it was killed before its first. */
export const standingOf = (run: string, { model, optimizer, method }: Problem): Standing | undefined =>
  readCheckpoint(run, model, optimizer, method);

/** Keeps everything in a run directory. Its settings are there already. */
export function directoryStore(run: string, problem: Problem, from: Progress, checkpoint?: string): RunStore {
  const record = newRecord(problem);
  const recorder = openRecorder(run, problem.model, from, checkpoint);
  const files = runFiles(run);
  return {
    run,
    get checkpoint() {
      return recorder.checkpoint;
    },
    seconds: recorder.seconds,
    metrics: recorder.metrics,
    timings: recorder.timings,
    save: recorder.save,
    keep: (which, weights) =>
      writeAtomic(
        which === "last" ? files.weights : files.best,
        encodeWeights(problem.model, weights, { model: problem.config.model.name }),
      ),
    record: (status, end = {}) => writeRecord(run, { ...record, status, ...end }),
    close: recorder.close,
  };
}
