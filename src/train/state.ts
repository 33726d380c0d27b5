import { initialize } from "../nn/layout.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import { rng } from "../util/rng.ts";
import type { Optimizer } from "../optim/optimizers.ts";

/** Everything that training carries from one step to the next. */
export interface TrainState {
  readonly theta: Float32Array;
  /** Batch-norm running statistics. */
  readonly buffers: Float32Array;
  /** State vectors of the base optimizer by PyTorch's names. */
  readonly slots: Readonly<Record<string, Float32Array>>;
  /** The estimate of the top eigenvector, a unit vector; before the first estimate the one the iteration starts from. */
  readonly v: Float32Array;
  /** Whether v has been estimated yet. */
  estimated: boolean;
  /** Steps taken so far. */
  step: number;
}

/** The state before the first step, a function of the seed. */
export function initialState(model: Model, optimizer: Optimizer, seed: number): TrainState {
  const length = vectorLength(model.parameters);
  return {
    theta: initialize(model.parameters, (name) => rng(seed, "theta", name), new Float32Array(length)),
    buffers: initialize(
      model.buffers,
      (name) => rng(seed, "buffers", name),
      new Float32Array(vectorLength(model.buffers)),
    ),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float32Array(length)])),
    v: randomDirection(length, seed),
    estimated: false,
    step: 0,
  };
}

/** A unit vector of uniform direction. */
function randomDirection(length: number, seed: number): Float32Array {
  const random = rng(seed, "eigenvector");
  const v = Float64Array.from({ length }, () => random.normal());
  const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  return Float32Array.from(v, (x) => x / norm);
}
