import { existsSync, readFileSync } from "node:fs";
import type { NumberArray } from "../../nn/layout.ts";
import { InputError } from "../../util/errors.ts";
import { writeAtomic } from "../../util/files.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../../util/safetensors.ts";
import type { Problem } from "./problem.ts";
import type { ProcessName } from "./processes.ts";
import { sdeFiles } from "./run-dir.ts";
import type { ProcessState } from "./state.ts";

export type States = ReadonlyMap<ProcessName, ProcessState>;

/** Where a run stands, besides its vectors. */
export interface SdeProgress {
  readonly step: number;
  /** Length of metrics.jsonl at this point; a resumed run writes on from there. */
  readonly metricsBytes: number;
  readonly seconds: number;
}

const FORMAT = "eigensam-sde-checkpoint-1";
const VECTORS = ["theta", "v", "top"] as const;

/** Replaces the checkpoint of a run, whole or not at all. */
export function writeSdeCheckpoint(run: string, states: States, progress: SdeProgress): void {
  const tensors: Record<string, SafeTensor> = {};
  const diverged: Record<string, number> = {};
  for (const [name, state] of states) {
    for (const key of VECTORS) tensors[`${name}.${key}`] = tensorOf(state[key]);
    if (state.divergedAt !== undefined) diverged[name] = state.divergedAt;
  }
  const metadata = { format: FORMAT, progress: JSON.stringify(progress), diverged: JSON.stringify(diverged) };
  writeAtomic(sdeFiles(run).checkpoint, encodeSafetensors(tensors, metadata));
}

const tensorOf = (data: NumberArray): SafeTensor => ({
  dtype: data instanceof Float64Array ? "F64" : "F32",
  shape: [data.length],
  data,
});

/** The states and progress of a run's checkpoint; undefined where it was killed before its first. */
export function readSdeCheckpoint(
  run: string,
  { size }: Problem,
  names: readonly ProcessName[],
): { readonly states: States; readonly progress: SdeProgress } | undefined {
  const path = sdeFiles(run).checkpoint;
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  if (metadata.format !== FORMAT)
    throw new InputError(`${path}: not a checkpoint of an SDE run`, { path }, "remove it to start the run anew");
  const diverged = JSON.parse(metadata.diverged!) as Record<string, number>;
  const vector = (name: string): NumberArray => {
    const data = tensors[name]?.data;
    if (data?.length !== size || !(data instanceof Float64Array || data instanceof Float32Array))
      throw new InputError(`${path}: ${name} does not fit`, { path, name }, "remove it to start the run anew");
    return data;
  };
  const states = names.map((name): [ProcessName, ProcessState] => {
    const [theta, v, top] = VECTORS.map((key) => vector(`${name}.${key}`)) as [NumberArray, NumberArray, NumberArray];
    return [name, { theta, v, top, divergedAt: diverged[name] }];
  });
  return { states: new Map(states), progress: JSON.parse(metadata.progress!) as SdeProgress };
}
