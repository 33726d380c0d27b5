import type { InitName } from "../nn/init.ts";
import { initialize } from "../nn/layout.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import type { Optimizer } from "../optim/optimizers.ts";
import { type Quality, UNKNOWN } from "../optim/refresh-plan.ts";
import { randomDirection } from "../spectrum/vectors.ts";
import { rng } from "../util/rng.ts";
import { restrict } from "./frozen.ts";

/** Everything that training carries from one step to the next. A step writes over its arrays. */
export interface TrainState {
  /** The parameters as one vector, in the engine's order (see `Layout`). */
  readonly theta: Float32Array;
  /** Batch-norm running statistics. */
  readonly buffers: Float32Array;
  /** State vectors of the base optimizer by PyTorch's names. */
  readonly slots: Readonly<Record<string, Float32Array>>;
  /** State vectors of the method by its own names. */
  readonly method: Readonly<Record<string, Float32Array>>;
  /** The estimate of the top eigenvector, a unit vector; before the first estimate the one the iteration starts from. */
  readonly v: Float32Array;
  /** The mean of the weights over steps, and of the running statistics, where the run keeps one. */
  readonly averaged?: { readonly theta: Float32Array; readonly buffers: Float32Array };
  /** Vectors that the probe carries from one look to the next, by name. */
  readonly probe: Record<string, Float32Array>;
  /** What is known of v. */
  quality: Quality;
  /** Steps taken so far. */
  step: number;
}

/** Weights that were drawn at random, and what to start with in their place. */
type Replace = (fresh: Pick<TrainState, "theta" | "buffers">) => Pick<TrainState, "theta" | "buffers">;

/** The state before the first step, a function of the seed, of how weights start, and of what replaces them. */
export function initialState(
  model: Model,
  optimizer: Optimizer,
  method: Pick<Method, "state">,
  seed: number,
  init: InitName = "default",
  replace: Replace = (fresh) => fresh,
): TrainState {
  const length = vectorLength(model.parameters);
  const { theta, buffers } = replace({
    theta: initialize(model.parameters, (name) => rng(seed, "theta", name), new Float32Array(length), init),
    buffers: initialize(
      model.buffers,
      (name) => rng(seed, "buffers", name),
      new Float32Array(vectorLength(model.buffers)),
    ),
  });
  return {
    theta,
    buffers,
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float32Array(length)])),
    method: Object.fromEntries(
      Object.entries(method.state).map(([name, init]) => [
        name,
        init === "theta" ? theta.slice() : new Float32Array(length),
      ]),
    ),
    v: restrict(randomDirection(new Float32Array(length), rng(seed, "eigenvector")), model),
    probe: {},
    quality: UNKNOWN,
    step: 0,
  };
}
