import { ConfigError } from "../util/errors.ts";

/**
 * The steps (or epochs) at which trials are compared, min·eta^r: the rungs of asynchronous successive halving (Li et al. 2020). There is none at
 * max, where a trial is over.
 */
export function rungsOf({
  min,
  max,
  eta,
}: {
  readonly min: number;
  readonly max: number;
  readonly eta: number;
}): number[] {
  const given = { min, max, eta };
  for (const [name, least] of [
    ["min", 1],
    ["max", 1],
    ["eta", 2],
  ] as const)
    if (!Number.isSafeInteger(given[name]) || given[name] < least)
      throw new ConfigError(
        `${name} of the rungs is ${given[name]}, expected a whole number of at least ${least}`,
        given,
        "rungs lie at the steps min, min·eta, min·eta², … below max",
      );
  const rungs: number[] = [];
  for (let step = min; step < max; step *= eta) rungs.push(step);
  return rungs;
}

export interface RungArgs {
  /** Values of the trials that came to the rung so far, this one's included. */
  readonly values: readonly number[];
  readonly own: number;
  readonly eta: number;
  readonly direction: "minimize" | "maximize";
}

/**
 * Whether a trial goes on after a rung: it is among the best ⌊n/eta⌋ of the n that came there so far, or the best while n < eta (Li et al.
 * 2020, in the form of Optuna, Akiba et al. 2019, where no trial waits for others). A value that is not finite is the worst and never goes on.
 */
export function goesOn({ values, own, eta, direction }: RungArgs): boolean {
  const sign = direction === "minimize" ? 1 : -1;
  const better = values.filter((value) => Number.isFinite(value) && sign * value < sign * own);
  return Number.isFinite(own) && better.length < Math.max(1, Math.floor(values.length / eta));
}
