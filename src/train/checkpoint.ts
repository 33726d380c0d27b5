import { z } from "zod";
import { parseJson } from "../run/lines.ts";
import { assertSame, identityOf } from "./identity.ts";
import type { Progress } from "./records.ts";
import { trainRun } from "./run-dir.ts";
import type { Problem } from "./session.ts";
import { NOTHING } from "./tally.ts";
import type { TrainState } from "./state.ts";
import { AVERAGE, flatten, named } from "./weights.ts";

const quality = z.object({ made: z.boolean(), failures: z.int().min(0), at: z.int().min(0) });

export const BEGINNING: Progress = {
  step: 0,
  epoch: 0,
  stepInEpoch: 0,
  sums: { loss: 0, correct: 0, images: 0 },
  last: null,
  best: null,
  tally: NOTHING,
  metricsBytes: 0,
  timingsBytes: 0,
  seconds: 0,
};

/** Opens what a run of this problem leaves behind, from a point on. */
export function openRecorder(run: string, problem: Problem, from: Progress) {
  const { model } = problem;
  const identity = identityOf(problem);
  return trainRun.open(run, from, ({ theta, buffers, slots, method, probe, averaged, v, quality }: TrainState) => {
    const tensors = {
      ...named(model.parameters, theta),
      ...named(model.buffers, buffers),
      ...named(model.parameters, v, "eigenvector."),
    };
    if (averaged)
      Object.assign(tensors, {
        ...named(model.parameters, averaged.theta, AVERAGE),
        ...named(model.buffers, averaged.buffers, AVERAGE),
      });
    for (const [part, vectors] of Object.entries({ optimizer: slots, method, probe }))
      for (const [name, vector] of Object.entries(vectors))
        Object.assign(tensors, named(model.parameters, vector, `${part}.${name}.`));
    return { tensors, metadata: { quality: JSON.stringify(quality), ...identity } };
  });
}

/**
 * The state and progress of the newest checkpoint; undefined where a run was killed before its first (run/checkpoint.ts).
 * @throws ConfigError where the run was begun with other settings, other data or another network
 */
export function readCheckpoint(run: string, problem: Problem) {
  const { model, optimizer, method, config } = problem;
  return trainRun.restore(run, ({ path, tensors, metadata, progress }) => {
    assertSame(run, metadata, identityOf(problem));
    const vector = (prefix: string) => flatten(model.parameters, tensors, path, prefix);
    const probes = [...new Set(Object.keys(tensors).flatMap((name) => /^probe\.([^.]+)\./.exec(name)?.[1] ?? []))];
    const state: TrainState = {
      theta: vector(""),
      buffers: flatten(model.buffers, tensors, path),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(`optimizer.${slot}.`)])),
      method: Object.fromEntries(Object.keys(method.state).map((name) => [name, vector(`method.${name}.`)])),
      probe: Object.fromEntries(probes.map((name) => [name, vector(`probe.${name}.`)])),
      ...(config.train.ema === undefined
        ? {}
        : {
            averaged: { theta: vector(AVERAGE), buffers: flatten(model.buffers, tensors, path, AVERAGE) },
          }),
      v: vector("eigenvector."),
      quality: parseJson(metadata.quality ?? "", quality, `${path}: quality`),
      step: progress.step,
    };
    return { state, progress };
  });
}
