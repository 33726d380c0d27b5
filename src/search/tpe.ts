import { rng } from "../util/rng.ts";
import { checkSpace } from "./check.ts";
import { fresh } from "./fresh.ts";
import type { Parameter, Point, Value } from "./parameter.ts";
import { type Density, densityOf } from "./parzen.ts";
import { randomPoint } from "./random.ts";
import { pointBy } from "./space.ts";
import { isFinished, isSound, othersOf, type ProposeArgs, type Trial } from "./trial.ts";

/** So many trials finish before their values count. */
const RANDOM_TRIALS = 10;

/** So many values are drawn of each parameter, of which one is proposed. */
const CANDIDATES = 24;

/**
 * The Tree-structured Parzen Estimator (Bergstra et al. 2011) as in Optuna (Akiba et al. 2019), version 5 with `multivariate=False`:
 * each parameter by itself takes, of 24 values drawn from the density of the good trials where it was active, the one where that density
 * most exceeds the density of the others. Trials that still run count among the others, so that trials side by side keep apart.
 */
export function tpePoint(args: ProposeArgs): Point {
  checkSpace(args.space);
  if (othersOf(args).filter(isFinished).length < RANDOM_TRIALS) return randomPoint(args);
  const random = rng(args.seed, "search", args.number);
  const { good, bad } = split(args);
  const densities = new Map(args.space.map((parameter) => [parameter, ratioOf(parameter, good, bad)]));
  const draw = (candidates: number): Point =>
    pointBy(args.space, (parameter) => {
      const { density, log } = densities.get(parameter)!;
      return best(
        Array.from({ length: candidates }, () => density.draw(random)),
        log,
      );
    });
  // A taken point is drawn again from the density of the good alone, which spreads more than the best of many draws.
  return fresh(args, random, draw(CANDIDATES), () => draw(1));
}

/**
 * The best ⌈n/10⌉, at most 25, of n finished trials, and all others; both by number. Trials that were stopped come after those that were not,
 * the earlier stopped the later. One without a finite value is never good.
 */
export function split(args: Pick<ProposeArgs, "trials" | "number" | "direction">) {
  const trials = othersOf(args).toSorted((a, b) => a.number - b.number);
  const sign = args.direction === "minimize" ? 1 : -1;
  const ranked = trials
    .filter(isSound)
    .toSorted((a, b) => compare(reach(b), reach(a)) || sign * compare(a.value, b.value));
  const good = new Set<Trial>(ranked.slice(0, goodOf(trials.filter(isFinished).length)));
  return { good: trials.filter((trial) => good.has(trial)), bad: trials.filter((trial) => !good.has(trial)) };
}

const reach = ({ stoppedAt = Number.POSITIVE_INFINITY }: Trial): number => stoppedAt;
const compare = (a: number, b: number): number => Number(a > b) - Number(a < b);

/** How many of n finished trials are good. */
export const goodOf = (n: number): number => Math.min(Math.ceil(0.1 * n), 25);

/** A parameter's density over the good trials, and the logarithm of its ratio to that over the bad. */
export function ratioOf({ key, domain }: Parameter, good: readonly Trial[], bad: readonly Trial[]) {
  const over = (trials: readonly Trial[]): Density =>
    densityOf(
      { domain },
      trials.map(({ point }) => point[key]),
    );
  const [density, other] = [over(good), over(bad)];
  return { density, log: (value: Value): number => density.log(value) - other.log(value) };
}

/** The first value of those with the highest score. */
function best<T>(values: readonly T[], score: (value: T) => number): T {
  const scores = new Map([...new Set(values)].map((value) => [value, score(value)]));
  return [...scores].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
