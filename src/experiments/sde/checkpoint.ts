import type { NumberArray } from "../../nn/layout.ts";
import type { Checkpoint, Vectors } from "../../run/checkpoint.ts";
import { InputError } from "../../util/errors.ts";
import type { SafeTensor } from "../../util/safetensors.ts";
import type { Problem } from "./problem.ts";
import type { ProcessName } from "./processes.ts";
import type { SdeProgress } from "./records.ts";
import type { ProcessState } from "./state.ts";

export type States = ReadonlyMap<ProcessName, ProcessState>;

const tensorOf = (data: NumberArray): SafeTensor => ({
  dtype: data instanceof Float64Array ? "F64" : "F32",
  shape: [data.length],
  data,
});

/** The vectors of all processes, each behind the name of its process. */
export const vectorsOf = (states: States): Vectors => ({
  tensors: Object.fromEntries(
    [...states].flatMap(([name, { theta, v, top }]) =>
      Object.entries({ theta, v, top }).map(([key, data]) => [`${name}.${key}`, tensorOf(data)]),
    ),
  ),
});

/** The states and progress of a checkpoint. InputError where its vectors do not fit the problem. */
export function statesOf(
  { path, tensors, progress }: Checkpoint<SdeProgress>,
  { size }: Problem,
  names: readonly ProcessName[],
) {
  const vector = (name: string): NumberArray => {
    const data = tensors[name]?.data;
    if (data?.length !== size || !(data instanceof Float64Array || data instanceof Float32Array))
      throw new InputError(`${path}: ${name} is not a vector of ${size} numbers`, { path, name });
    return data;
  };
  const states: States = new Map(
    names.map((name) => [
      name,
      {
        theta: vector(`${name}.theta`),
        v: vector(`${name}.v`),
        top: vector(`${name}.top`),
        divergedAt: progress.diverged[name],
      },
    ]),
  );
  return { path, states, progress };
}
