import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import type { Optimizer } from "../optim/optimizers.ts";
import { InputError } from "../util/errors.ts";
import { writeAtomic } from "../util/files.ts";
import { decodeSafetensors, encodeSafetensors } from "../util/safetensors.ts";
import type { Score } from "./evaluate.ts";
import type { TrainState } from "./state.ts";
import { flatten, named } from "./weights.ts";

/** Sums over the steps of an epoch so far. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
}

/** Where a run stands, besides its vectors. */
export interface Progress {
  readonly step: number;
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly sums: EpochSums;
  /** Scores of the last complete epoch. */
  readonly last: { readonly train: Score; readonly val: Score | null } | null;
  /** By accuracy on the validation examples, or by loss where there are no classes. */
  readonly best: { readonly epoch: number; readonly accuracy?: number; readonly loss?: number } | null;
  /** Lengths of metrics.jsonl and timings.jsonl at this point; a resumed run writes on from there. */
  readonly metricsBytes: number;
  readonly timingsBytes: number;
  /** Time spent so far. */
  readonly seconds: number;
}

const FORMAT = "eigensam-checkpoint-1";
const PATTERN = /^step-(\d+)\.safetensors$/;

/** Older ones are removed; two, so that one that is damaged costs little. */
const KEPT = 2;

const folder = (run: string): string => join(run, "checkpoints");

/** Paths of the checkpoints of a run, oldest first. */
export const checkpointsOf = (run: string): string[] =>
  readdirSync(folder(run))
    .filter((name) => PATTERN.test(name))
    .sort()
    .map((name) => join(folder(run), name));

/** Writes one checkpoint, atomically, and removes old ones. Its path. */
export function writeCheckpoint(run: string, model: Model, state: TrainState, progress: Progress): string {
  const { theta, buffers, slots, method, probe, v, estimated } = state;
  const tensors = {
    ...named(model.parameters, theta),
    ...named(model.buffers, buffers),
    ...named(model.parameters, v, "eigenvector."),
  };
  for (const [slot, vector] of Object.entries(slots))
    Object.assign(tensors, named(model.parameters, vector, `optimizer.${slot}.`));
  for (const [name, vector] of Object.entries(method))
    Object.assign(tensors, named(model.parameters, vector, `method.${name}.`));
  for (const [name, vector] of Object.entries(probe))
    Object.assign(tensors, named(model.parameters, vector, `probe.${name}.`));
  const path = join(folder(run), `step-${String(progress.step).padStart(8, "0")}.safetensors`);
  const metadata = { format: FORMAT, progress: JSON.stringify(progress), estimated: String(estimated) };
  writeAtomic(path, encodeSafetensors(tensors, metadata));
  for (const old of checkpointsOf(run).slice(0, -KEPT)) rmSync(old);
  return path;
}

/**
 * The state and progress of the newest checkpoint; undefined where a run was killed before its first. A damaged one is an
 * error that names the last good one.
 */
export function readCheckpoint(
  run: string,
  model: Model,
  optimizer: Optimizer,
  method: Pick<Method, "state">,
): { readonly path: string; readonly state: TrainState; readonly progress: Progress } | undefined {
  const paths = checkpointsOf(run);
  const newest = paths.at(-1);
  if (newest === undefined) return undefined;
  try {
    return { path: newest, ...decodeCheckpoint(newest, model, optimizer, method) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const good = paths.slice(0, -1).findLast((path) => isReadable(path, model, optimizer, method));
    const hint = good
      ? `the last good checkpoint is ${good}; remove the damaged file to go on from there`
      : "no other checkpoint is there: start the run anew";
    throw new InputError(error.message.split("\n")[0]!, { ...error.data, checkpoint: newest, good }, hint);
  }
}

function isReadable(path: string, model: Model, optimizer: Optimizer, method: Pick<Method, "state">): boolean {
  try {
    decodeCheckpoint(path, model, optimizer, method);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function decodeCheckpoint(path: string, model: Model, optimizer: Optimizer, method: Pick<Method, "state">) {
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  if (metadata.format !== FORMAT || metadata.progress === undefined)
    throw new InputError(`${path}: not a checkpoint of a run`, { path }, "weights alone cannot be resumed");
  const progress = JSON.parse(metadata.progress) as Progress;
  const vector = (prefix: string) => flatten(model.parameters, tensors, path, prefix);
  const probes = [...new Set(Object.keys(tensors).flatMap((name) => /^probe\.([^.]+)\./.exec(name)?.[1] ?? []))];
  const state: TrainState = {
    theta: vector(""),
    buffers: flatten(model.buffers, tensors, path),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(`optimizer.${slot}.`)])),
    method: Object.fromEntries(Object.keys(method.state).map((name) => [name, vector(`method.${name}.`)])),
    probe: Object.fromEntries(probes.map((name) => [name, vector(`probe.${name}.`)])),
    v: vector("eigenvector."),
    estimated: metadata.estimated === "true",
    step: progress.step,
  };
  return { state, progress };
}
