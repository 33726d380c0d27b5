import { type CheckpointKind, type Marks, type Vectors, writeCheckpoint } from "./checkpoint.ts";
import { runFiles } from "./files.ts";
import { openLog } from "./log.ts";

/** A line as its writer types it: the fields a schema names. Numbers that its catchall lets through may stand beside them. */
export type Written<L> = L extends unknown ? { [K in keyof L as string extends K ? never : K]: L[K] } : never;

/** Writes what a run leaves behind: lines of type M and T, and checkpoints of a state S at progress P. */
export interface Recorder<M, T, S, P> {
  /** The newest checkpoint. */
  readonly checkpoint: string | undefined;
  /** Time spent on the run, sessions before this one included. */
  seconds(): number;
  /** Lines that depend on settings and seed alone. */
  metrics(line: Written<M>): void;
  /** Lines that differ from one machine and moment to the next. */
  timings(line: Written<T>): void;
  /** Writes a checkpoint from which the run resumes exactly here; lengths of logs and the time are filled in. */
  save(state: S, progress: P): void;
  close(): void;
}

/** Where a recorder begins, and how it writes a state. */
export interface RecorderStart<S> {
  readonly from: Marks;
  /** The checkpoint that the run was restored from. */
  readonly newest: string | undefined;
  vectors(state: S): Vectors;
}

/** Opens the logs of a run after the lines that its checkpoint knows; what follows them is cut off. */
export function openRecorder<M, T, S, P extends Marks>(
  run: string,
  { kind }: CheckpointKind<P>,
  { from, newest, vectors }: RecorderStart<S>,
): Recorder<M, T, S, P> {
  const files = runFiles(run);
  const metrics = openLog<Written<M> & object>(files.metrics, from.metricsBytes);
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
      checkpoint = writeCheckpoint(run, kind, { ...progress, ...lengths }, vectors(state));
    },
    close: () => {
      metrics.close();
      timings.close();
    },
  };
}
