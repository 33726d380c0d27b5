import { digest, splitDigest } from "../../data/digest.ts";
import type { NumberArray } from "../../nn/layout.ts";
import type { Checkpoint, Vectors } from "../../run/checkpoint.ts";
import { InputError } from "../../util/errors.ts";
import { withoutPaths } from "../../train/identity.ts";
import { firstNotFinite } from "../../util/finite.ts";
import type { SafeTensor } from "../../util/safetensors.ts";
import type { SdeRunConfig } from "./config.ts";
import type { Problem } from "./problem.ts";
import type { PathName } from "./processes.ts";
import type { SdeProgress } from "./records.ts";
import type { ProcessState } from "./state.ts";

/** What a run must resume with, as texts of its checkpoints: its settings without paths, and a digest of its examples. */
export const sdeIdentity = ({ data, ...config }: SdeRunConfig, { train, test }: Problem) => ({
  settings: JSON.stringify({ ...config, data: withoutPaths(data) }),
  examples: digest(splitDigest(train), splitDigest(test)),
});

export type States = ReadonlyMap<PathName, ProcessState>;

/** The vectors of all processes that have not diverged, each behind the name of its process. */
export const vectorsOf = (states: States): Vectors => ({
  tensors: Object.fromEntries(
    [...states].flatMap(([name, { theta, v, divergedAt }]) =>
      Object.entries(divergedAt === undefined ? { theta, v } : {}).map(([key, data]): [string, SafeTensor] => [
        `${name}.${key}`,
        { dtype: data instanceof Float64Array ? "F64" : "F32", shape: [data.length], data },
      ]),
    ),
  ),
});

/** The state of one process in a checkpoint; of one that diverged there is no vector. InputError where its vectors do not fit the problem. */
export function stateOf(
  { path, tensors, progress }: Checkpoint<SdeProgress>,
  { size, zeros }: Problem,
  name: PathName,
): ProcessState {
  const divergedAt = progress.diverged[name];
  if (divergedAt !== undefined) return { theta: zeros(0), v: zeros(0), divergedAt };
  const vector = (key: string): NumberArray => {
    const data = tensors[`${name}.${key}`]?.data;
    if (data?.length !== size || !(data instanceof Float64Array || data instanceof Float32Array))
      throw new InputError(`${path}: ${name}.${key} is not a vector of ${size} numbers`, { path, name, key });
    const bad = firstNotFinite(data);
    if (bad >= 0) throw new InputError(`${path}: ${name}.${key} holds ${data[bad]}`, { path, name, key });
    return data;
  };
  return { theta: vector("theta"), v: vector("v"), divergedAt };
}
