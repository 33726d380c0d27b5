import type { Model } from "../nn/scope.ts";
import type { Optimizer } from "../optim/optimizers.ts";
import type { Recorder } from "../run/recorder.ts";
import type { MetricsLine, Progress, TimingsLine } from "./records.ts";
import { trainRun } from "./run-dir.ts";
import type { TrainState } from "./state.ts";
import { flatten, named } from "./weights.ts";

export const NO_SUMS: Progress["sums"] = { loss: 0, correct: 0, images: 0 };

export const BEGINNING: Progress = {
  step: 0,
  epoch: 0,
  stepInEpoch: 0,
  sums: NO_SUMS,
  last: null,
  best: null,
  metricsBytes: 0,
  timingsBytes: 0,
  seconds: 0,
};

export type TrainRecorder = Recorder<MetricsLine, TimingsLine, TrainState, Progress>;

/** Opens what a run of this model leaves behind, from a point on; `newest` is the checkpoint of that point. */
export const openRecorder = (run: string, model: Model, from: Progress, newest: string | undefined): TrainRecorder =>
  trainRun.open(run, {
    from,
    newest,
    vectors: ({ theta, buffers, slots, v, estimated }: TrainState) => ({
      tensors: {
        ...named(model.parameters, theta),
        ...named(model.buffers, buffers),
        ...named(model.parameters, v, "eigenvector."),
        ...Object.assign(
          {},
          ...Object.entries(slots).map(([slot, vector]) => named(model.parameters, vector, `optimizer.${slot}.`)),
        ),
      },
      metadata: { estimated: String(estimated) },
    }),
  });

/** The state and progress of the newest checkpoint; undefined where a run was killed before its first (run/checkpoint.ts). */
export const readCheckpoint = (run: string, model: Model, optimizer: Optimizer) =>
  trainRun.restore(run, ({ path, tensors, metadata, progress }) => {
    const vector = (prefix: string) => flatten(model.parameters, tensors, path, prefix);
    const state: TrainState = {
      theta: vector(""),
      buffers: flatten(model.buffers, tensors, path),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(`optimizer.${slot}.`)])),
      v: vector("eigenvector."),
      estimated: metadata.estimated === "true",
      step: progress.step,
    };
    return { path, state, progress };
  });
