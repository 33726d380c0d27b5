import { initialize, type NumberArray } from "../../nn/layout.ts";
import { rng } from "../../util/rng.ts";
import type { Problem } from "./problem.ts";

/** Everything that a process carries from one step to the next. */
export interface ProcessState {
  readonly theta: NumberArray;
  /** Eigen-SAM's estimate of the top eigenvector, on mini-batches. */
  readonly v: NumberArray;
  /** The step at which its numbers ceased to be finite. */
  divergedAt: number | undefined;
}

/** The state before the first step: a function of the seed, the same for every process. */
export function initialProcessState({ model, size, zeros }: Problem, seed: number): ProcessState {
  return {
    theta: initialize(model.parameters, (name) => rng(seed, "theta", name), zeros(size)),
    v: direction(zeros(size), seed),
    divergedAt: undefined,
  };
}

/** A unit vector of uniform direction. */
function direction(vector: NumberArray, seed: number): NumberArray {
  const random = rng(seed, "sde", "eigenvector");
  const values = Float64Array.from(vector, () => random.normal());
  const norm = Math.sqrt(values.reduce((total, x) => total + x * x, 0));
  for (let i = 0; i < vector.length; i++) vector[i] = values[i]! / norm;
  return vector;
}
