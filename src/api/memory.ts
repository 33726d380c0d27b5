import { placeRun } from "../run/copy.ts";
import { BEGINNING } from "../train/checkpoint.ts";
import type { MetricsLine, Progress, RunRecord, TimingsLine } from "../train/records.ts";
import { trainRun } from "../train/run-dir.ts";
import { newRecord } from "../train/run-record.ts";
import type { Problem } from "../train/session.ts";
import type { TrainState } from "../train/state.ts";
import { directoryStore, type RunStore } from "../train/store.ts";
import type { Weights } from "../train/weights.ts";

/** A run that leaves everything in memory, until it is saved. */
export interface MemoryStore extends RunStore {
  /** Writes what is in memory as a run directory, whole or not at all. ConfigError where the folder is not empty. */
  saveTo(run: string): void;
}

export function memoryStore(problem: Problem): MemoryStore {
  const metrics: MetricsLine[] = [];
  const timings: TimingsLine[] = [];
  const kept = new Map<"last" | "best", Weights>();
  let saved: { readonly state: TrainState; readonly progress: Progress } | undefined;
  let end: Pick<RunRecord, "status" | "result" | "error"> = { status: "running" };
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const base = newRecord(problem);
  return {
    run: "memory",
    // Nothing that could be resumed from outlives the process.
    checkpoint: () => undefined,
    seconds,
    metrics: (line) => metrics.push(line),
    timings: (line) => timings.push(line),
    // A reference, not a copy: the state at the end is the one a saved run resumes from.
    save: (state, progress) => {
      saved = { state, progress: { ...progress, seconds: seconds() } };
    },
    keep: (which, { theta, buffers }) => kept.set(which, { theta: theta.slice(), buffers: buffers.slice() }),
    record: (next) => {
      end = next;
    },
    close: () => undefined,
    saveTo: (target) =>
      placeRun(target, (run) => {
        trainRun.create(run, problem.config);
        const store = directoryStore(run, problem, { ...BEGINNING, seconds: saved?.progress.seconds ?? 0 });
        try {
          for (const line of metrics) store.metrics(line);
          for (const line of timings) store.timings(line);
          if (saved) store.save(saved.state, saved.progress);
          for (const [which, weights] of kept) store.keep(which, weights);
          trainRun.writeRecord(run, { ...base, ...end });
        } finally {
          store.close();
        }
      }),
  };
}
