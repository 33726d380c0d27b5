import type { TrainState } from "./state.ts";
import type { Weights } from "./weights.ts";

/**
 * The part of the mean that stays in its update number `updates`, from 0: train.ema, and less at first, min(λ, (1 + t)/(10 + t)), so that a short run's
 * mean forgets its beginning (TensorFlow's ExponentialMovingAverage with num_updates).
 */
export const memoryOf = (ema: number, updates: number): number => Math.min(ema, (1 + updates) / (10 + updates));

/** m ← λm + (1 − λ)θ of the weights, and of batch norm's running statistics alike; no gradient sees m. */
export function average({ averaged, theta, buffers, step }: TrainState, ema: number): void {
  if (averaged === undefined) return;
  const memory = memoryOf(ema, step - 1);
  mixIn(averaged.theta, theta, memory);
  mixIn(averaged.buffers, buffers, memory);
}

function mixIn(mean: Float32Array, values: Float32Array, memory: number): void {
  for (let i = 0; i < mean.length; i++) mean[i] = memory * mean[i]! + (1 - memory) * values[i]!;
}

/** The weights that a run is judged by and leaves: their mean where it keeps one, else those of the last step. */
export const finalWeights = (state: TrainState): Weights => state.averaged ?? state;
