import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { removeTemporaries, syncFolder } from "../util/files.ts";
import { checkpointsOf, type Marks, type Vectors, writeCheckpoint } from "./checkpoint.ts";
import { runFiles } from "./files.ts";
import { openLog } from "./log.ts";

/** A line as its writer types it: the fields a schema names. Numbers that its catchall lets through may stand beside them. */
export type Written<L> = L extends unknown ? { [K in keyof L as string extends K ? never : K]: L[K] } : never;

/**
 * Writes what a run leaves behind: lines of type M and T, and checkpoints of a state S at progress P. It begins after the lines that
 * the checkpoint at `from` knows; what follows them is cut off.
 */
export function openRecorder<M, T, S, P extends Marks>(
  run: string,
  kind: string,
  from: Marks,
  vectorsOf: (state: S) => Vectors,
) {
  const files = runFiles(run);
  const metrics = openLog<Written<M>>(files.metrics, from.metricsBytes);
  const timings = openLog<Written<T>>(files.timings, from.timingsBytes);
  const key = realpathSync(run);
  for (const folder of [run, files.checkpoints]) removeTemporaries(folder);
  // An earlier process may have been killed between making a folder and telling the disk.
  for (const folder of [dirname(key), key]) syncFolder(folder);
  const begun = performance.now();
  const sync = (): void => {
    metrics.sync();
    timings.sync();
  };
  const seconds = (): number => from.seconds + (performance.now() - begun) / 1000;
  return {
    /** The newest checkpoint. */
    checkpoint: (): string | undefined => checkpointsOf(run).at(-1),
    /** Time spent on the run, sessions before this one included. */
    seconds,
    /** Lines that depend on settings and seed alone. */
    metrics: metrics.append,
    /** Lines that differ from one machine and moment to the next. */
    timings: timings.append,
    /** All lines so far, on disk for good; a checkpoint does this too. */
    sync,
    /** Writes a checkpoint from which the run resumes exactly here; the lengths of the logs and the time are filled in. */
    save: (state: S, progress: P): void => {
      sync();
      const lengths = { metricsBytes: metrics.length(), timingsBytes: timings.length(), seconds: seconds() };
      writeCheckpoint(run, kind, { ...progress, ...lengths }, vectorsOf(state));
    },
    close: (): void => {
      metrics.close();
      timings.close();
    },
  };
}
