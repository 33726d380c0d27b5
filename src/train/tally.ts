import type { TrainConfig } from "./config.ts";
import type { Tally } from "./records.ts";
import type { RefreshMetrics } from "./refresh.ts";
import type { StepMetrics } from "./stepper.ts";

/** Nothing is counted yet; in the order that a checkpoint gives back, so that a resumed run writes the same. */
export const NOTHING: Tally = {
  rules: { before: 0, warmup: 0, own: 0, between: 0 },
  alongV: 0,
  alignment: 0,
  clipped: 0,
  estimates: 0,
  good: 0,
  seconds: { steps: 0, estimates: 0, probe: 0, data: 0 },
};

/** How long something took, in seconds. */
const longer = ({ seconds }: Tally, part: keyof Tally["seconds"], by: number) => ({
  ...seconds,
  [part]: seconds[part] + by,
});

/** The tally with one more step: the rule that it took, and what it did. */
export const withStep = (tally: Tally, { rule, clipped, metrics }: StepMetrics, seconds: number): Tally => ({
  ...tally,
  rules: { ...tally.rules, [rule]: tally.rules[rule] + 1 },
  alongV: tally.alongV + Number(metrics.cosEpsV !== undefined),
  clipped: tally.clipped + Number(clipped),
  alignment: tally.alignment + (metrics.cosEpsV ?? 0),
  seconds: longer(tally, "steps", seconds),
});

/** … with one more estimate of v. */
export const withEstimate = (tally: Tally, { good }: RefreshMetrics, seconds: number): Tally => ({
  ...tally,
  estimates: tally.estimates + 1,
  good: tally.good + Number(good),
  seconds: longer(tally, "estimates", seconds),
});

/** … with time spent on something else. */
export const withSeconds = (tally: Tally, part: "probe" | "data", seconds: number): Tally => ({
  ...tally,
  seconds: longer(tally, part, seconds),
});

/** What a run that has ended did in vain, a line each. */
export function wasteOf({ rules, clipped, alongV }: Tally, { method, train }: TrainConfig, readsV: boolean): string[] {
  const own = rules.own + rules.between + rules.warmup;
  const steps = own + rules.before;
  return [
    steps > 0 && clipped === steps
      ? `all ${steps} steps were shortened to train.clip=${train.clip}, so the learning rate alone decided their length: raise it, or leave it out`
      : undefined,
    readsV && own > 0 && alongV === 0
      ? `no step of ${method.name} perturbed along v, as no estimate was good: see the lines "refresh" of metrics.jsonl, and method.trust`
      : undefined,
  ].filter((line) => line !== undefined);
}
