import type { Claim } from "../run/claim.ts";
import { runFiles } from "../run/files.ts";
import { writeAtomic } from "../util/files.ts";
import { openRecorder } from "./checkpoint.ts";
import { writing } from "./failure.ts";
import type { MetricsLine, Progress, RunRecord, TimingsLine } from "./records.ts";
import { trainRun } from "./run-dir.ts";
import { newRecord } from "./run-record.ts";
import type { Problem } from "./session.ts";
import type { TrainState } from "./state.ts";
import { openEvents } from "./tensorboard/event-file.ts";
import { encodeWeights, type Weights } from "./weights.ts";

/** Where a run leaves what it makes: a run directory, or memory. */
export interface RunStore {
  /** As messages call it: the directory, or "memory". */
  readonly run: string;
  /** The newest checkpoint, where one is kept. */
  checkpoint(): string | undefined;
  /** Time spent on the run, sessions before this one included. */
  seconds(): number;
  /** Lines that depend on settings and seed alone. */
  metrics(line: MetricsLine): void;
  /** Lines that differ from one machine and moment to the next. */
  timings(line: TimingsLine): void;
  /** Keeps a checkpoint from which the run resumes exactly here. */
  save(state: TrainState, progress: Progress): void;
  /** Keeps weights: the last ones, or the best so far by the validation examples. */
  keep(which: "last" | "best", weights: Weights): void;
  /** What the run is and how it stands. */
  record(end: Pick<RunRecord, "status" | "result" | "error">): void;
  close(): void;
}

/** Where a run stands: the state and progress of a checkpoint. */
export interface Standing {
  readonly state: TrainState;
  readonly progress: Progress;
}

/** The weights of a run as a file of PyTorch's names. */
export const weightsFile = ({ model, config }: Problem, weights: Weights): Uint8Array =>
  encodeWeights(model, weights, { model: config.model.name });

/** Keeps everything in a run directory, as long as this process holds it. Its settings are there already. */
export function directoryStore(
  run: string,
  problem: Problem,
  from: Progress,
  claim?: Pick<Claim, "held" | "assertHeld">,
): RunStore {
  const record = newRecord(problem);
  const files = runFiles(run);
  const recorder = openRecorder(run, problem, from);
  const events = problem.config.train.tensorboard
    ? openEvents(run, from.metricsBytes === 0 ? [] : trainRun.readMetrics(run))
    : undefined;
  const alone = <A extends readonly unknown[]>(write: (...args: A) => void) =>
    writing((...args: A) => {
      claim?.assertHeld();
      write(...args);
    });
  return {
    ...recorder,
    run,
    metrics: alone((line) => {
      recorder.metrics(line);
      events?.append(line);
    }),
    timings: alone(recorder.timings),
    save: alone(recorder.save),
    keep: alone((which, weights) =>
      writeAtomic(which === "last" ? files.weights : files.best, weightsFile(problem, weights)),
    ),
    record: writing((end) => {
      // The record is then the other process's.
      if (end.status === "failed" && claim?.held() === false) return;
      claim?.assertHeld();
      // A run that is said to be done has all its lines, whatever happens next.
      recorder.sync();
      events?.sync();
      trainRun.writeRecord(run, { ...record, ...end });
    }),
    close: () => {
      recorder.close();
      events?.close();
    },
  };
}
