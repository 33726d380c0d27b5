import { beforeAll, describe, expect, it } from "vitest";
import { proposers } from "../src/search/propose.ts";
import { median } from "../src/util/statistics.ts";
import { golden, objectives, search } from "./support/search.ts";

type Name = keyof typeof proposers;
const names = Object.keys(proposers) as Name[];

/** How often one of the first is below one of the second: Mann and Whitney's U, divided by the number of pairs. */
const below = (first: readonly number[], second: readonly number[]): number =>
  first.reduce((sum, a) => sum + second.reduce((n, b) => n + (a < b ? 1 : a === b ? 0.5 : 0), 0), 0) /
  (first.length * second.length);

/** Of 20 against 20 alike, U has the standard deviation 0.092: equally good is within 2.7 of it, clearly better beyond 3.2. */
const ALIKE = 0.25;
const CLEARLY = 0.8;

describe.each(["branin", "training"] as const)("the best of 100 trials over 20 seeds: %s", (name) => {
  const optuna = golden.best[name];
  const ours: Partial<Record<Name, number[]>> = {};
  beforeAll(() => {
    for (const proposer of names)
      ours[proposer] = optuna.tpe.map((_, seed) =>
        Math.min(...search(objectives[name], { proposer, seed, count: 100 }).map(({ value }) => value!)),
      );
  });

  it("is Optuna's by the same rule, within the range of its multivariate one, and clearly better than at random", () => {
    const best = ours.tpe!;
    expect(Math.abs(below(best, optuna.independent) - 0.5)).toBeLessThan(0.5 - ALIKE);
    for (const theirs of [optuna.independent, optuna.tpe]) {
      expect(median(best)).toBeGreaterThan(Math.min(...theirs));
      expect(median(best)).toBeLessThan(Math.max(...theirs));
    }
    expect(below(best, optuna.random)).toBeGreaterThan(CLEARLY);
  });

  it("is Optuna's at random too, which the criterion above refuses", () => {
    const best = ours.random!;
    expect(Math.abs(below(best, optuna.random) - 0.5)).toBeLessThan(0.5 - ALIKE);
    expect(below(best, optuna.independent)).toBeLessThan(ALIKE);
    expect(below(best, optuna.random)).toBeLessThan(CLEARLY);
  });
});
