import { initialize, type NumberArray } from "../../nn/layout.ts";
import { randomDirection } from "../../spectrum/vectors.ts";
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
    v: randomDirection(zeros(size), rng(seed, "sde", "eigenvector")),
    divergedAt: undefined,
  };
}
