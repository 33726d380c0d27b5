import { methodOf } from "./method.ts";
import type { Run } from "./read-run.ts";
import { median } from "../util/statistics.ts";

/** Seconds per training step and where they go. */
export interface StepCost {
  readonly total: number;
  /** Gradients, perturbation and update. */
  readonly step: number;
  /** Estimates of the eigenvector, spread over the steps between them. */
  readonly refresh: number;
  /** Waiting for images. */
  readonly wait: number;
}

/**
 * Cost of a run's step, the median over its epochs; undefined before the first epoch ends. Where the method has no
 * use for the eigenvector, its estimates are our measurement and are taken off.
 */
export function stepCost({ record, epochs, epochTimes, refreshTimes }: Run): StepCost | undefined {
  const steps = epochs.at(-1)?.step;
  if (steps === undefined || epochTimes.length === 0) return undefined;
  const { batch } = record.config.data;
  // From the rate, not from the seconds: the timer of an epoch that was resumed in its middle saw only a part of it.
  const whole = median(epochTimes.map(({ imagesPerSecond }) => batch / imagesPerSecond));
  const wait = median(epochTimes.map(({ imagesPerSecond, dataWait }) => (dataWait * batch) / imagesPerSecond));
  const estimating = refreshTimes.filter((time) => time.step < steps).reduce((sum, { seconds }) => sum + seconds, 0);
  const perStep = estimating / steps;
  const refresh = methodOf(record).eigenvector ? perStep : 0;
  const step = Math.max(0, whole - wait - perStep);
  return { total: step + refresh + wait, step, refresh, wait };
}
