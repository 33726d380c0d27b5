import { median } from "../util/statistics.ts";
import type { Group } from "./groups.ts";
import { methodOf } from "./method.ts";
import type { Run } from "./read-run.ts";

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
 * Cost of a run's step in wall time; undefined before the first epoch ends. Medians over steps, estimates and epochs, so that an
 * interruption does not count. Where the method does not need the eigenvector, its estimates are a measurement and do not count.
 */
export function stepCost({ record, epochs, epochTimes, refreshTimes }: Run): StepCost | undefined {
  const steps = epochs.at(-1)?.step;
  const timed = epochTimes.filter(({ stepSeconds }) => Number.isFinite(stepSeconds));
  if (steps === undefined || timed.length === 0) return undefined;
  const { batch } = record.config.data;
  const step = median(timed.map(({ stepSeconds }) => stepSeconds));
  const wait = median(timed.map(({ imagesPerSecond, dataWait }) => (dataWait * batch) / imagesPerSecond));
  const estimates = refreshTimes.filter((time) => time.step < steps).map(({ seconds }) => seconds);
  const needed = methodOf(record).eigenvector && estimates.length > 0;
  const refresh = needed ? (median(estimates) * estimates.length) / steps : 0;
  return { total: step + refresh + wait, step, refresh, wait };
}

/** How times were measured: what one may conclude from them depends on it. */
export function howTimed(groups: readonly Group[]): string {
  const most = sideBySide(groups.flatMap(({ runs }) => runs));
  return most > 1
    ? `medians of wall time with up to ${most} of these runs side by side, which slow each other, so it is no measure of speed (eigensam bench is one)`
    : "medians of wall time, one of these runs at a time";
}

/** The most runs that were under way at one moment, from when they began and how long they took. */
function sideBySide(runs: readonly Run[]): number {
  const spans = runs.flatMap(({ record: { startedAt, result }, epochTimes }) => {
    const from = Date.parse(startedAt) / 1000;
    const seconds = result?.seconds ?? epochTimes.reduce((sum, epoch) => sum + epoch.seconds, 0);
    return Number.isFinite(from) ? [{ from, to: from + seconds }] : [];
  });
  return Math.max(0, ...spans.map(({ from }) => spans.filter((span) => span.from <= from && from < span.to).length));
}
