import { describe, expect, it } from "vitest";
import { isGood, type SolverName, solvers } from "../src/optim/eigenvector.ts";
import { type Quality, refreshPlan, UNKNOWN } from "../src/optim/refresh-plan.ts";

const GOOD: Quality = { made: true, failures: 0, at: 0 };

describe("an estimate", () => {
  it.each([
    [{ eigenvalue: 2, residual: 0.5 }, 5, true],
    [{ eigenvalue: 2, residual: 0.51 }, 5, false],
    [{ eigenvalue: -2, residual: 0.01 }, 5, false],
    [{ eigenvalue: 0, residual: 0.01 }, 5, false],
    [{ eigenvalue: 2, residual: Number.NaN }, 5, false],
    // Of one product the residual is that of the vector before.
    [{ eigenvalue: 2, residual: 3 }, 1, true],
    [{ eigenvalue: -2, residual: 3 }, 1, false],
  ])("%j by %d products is good: %s", (found, products, good) => {
    expect(isGood(found, { estimator: "power", products }, 0.5)).toBe(good);
  });
});

describe("the plan of estimates", () => {
  const plan = (solver: SolverName, more: object = {}) =>
    refreshPlan(needsV, solvers[solver], { ...settings, ...more });
  const needsV = { needs: { v: true } };
  const settings = { every: 100, iterations: 5, follow: 0.1, trust: 0.5, warmup: "estimate", compat: "none" } as const;
  /** The steps of estimates where each is good or not by its own number. */
  const stepsOf = ({ due, judge, first }: ReturnType<typeof plan>, good: (n: number) => boolean, steps: number) => {
    let quality = UNKNOWN;
    const made: number[] = [];
    for (let step = 0; step < steps; step++) {
      if (!due({ step, stepInEpoch: step }, quality)) continue;
      const residual = good(made.length) ? 0.1 : 9;
      quality = judge({ eigenvalue: 1, residual }, first!, step, quality);
      made.push(step);
    }
    return made;
  };

  it("makes one that is no good again after 1, 2, 4, … steps, at most as many as between regular ones", () => {
    expect(stepsOf(plan("power"), () => true, 250)).toEqual([0, 100, 200]);
    expect(stepsOf(plan("power"), () => false, 400)).toEqual([...[0, 1, 3, 7, 15, 31, 63, 100, 200, 300]]);
    expect(stepsOf(plan("lanczos"), (n) => n >= 3, 250)).toEqual([0, 1, 3, 7, 100, 200]);
    expect(stepsOf(plan("free"), (n) => n >= 2, 1000)).toEqual([0, 1, 3]);
    expect(stepsOf(plan("spread"), () => true, 45)).toEqual([0, 20, 40]);
    expect(stepsOf(plan("power", { warmup: "sam" }), () => true, 250)).toEqual([100, 200]);
    expect(stepsOf(plan("free", { warmup: "sam" }), (n) => n >= 1, 1000)).toEqual([100, 101]);
    expect(plan("random").due({ step: 0, stepInEpoch: 0 }, UNKNOWN)).toBe(false);
  });

  it("as the authors' code counts within the epoch, skips its first step, and makes none again", () => {
    const { due } = plan("power", { every: 4, compat: "official" });
    const bad: Quality = { made: true, failures: 1, at: 4 };
    const steps = Array.from({ length: 20 }, (_, step) => step);
    expect(steps.filter((step) => due({ step, stepInEpoch: step % 10 }, bad))).toEqual([4, 8, 14, 18]);
  });

  it("is of a method that reads v, with a solver that makes one", () => {
    expect(plan("power")).toMatchObject({ first: { estimator: "power" }, interval: 100 });
    expect(plan("random")).toMatchObject({ first: undefined, interval: 0 });
    expect(refreshPlan({ needs: {} }, solvers.free, settings)).toMatchObject({ first: undefined, follow: 0 });
    expect(refreshPlan({ needs: {} }, solvers.power, settings)).toMatchObject({ interval: 0, first: undefined });
  });

  it("uses v where it is good; the placebo's always, and the authors' code's once there is one", () => {
    const bad: Quality = { made: true, failures: 1, at: 0 };
    expect([UNKNOWN, bad, GOOD].map(plan("lanczos").usable)).toEqual([false, false, true]);
    expect([UNKNOWN, bad, GOOD].map(plan("random").usable)).toEqual([true, true, true]);
    expect([UNKNOWN, bad, GOOD].map(plan("power", { compat: "official" }).usable)).toEqual([false, true, true]);
    expect(refreshPlan({ needs: {} }, solvers.random, settings).usable(GOOD)).toBe(false);
  });

  it("names products and estimators", () => {
    const of = (solver: SolverName) => [plan(solver).first, plan(solver).later];
    const lanczos = { estimator: "lanczos", products: 5 };
    expect(of("power")).toEqual(new Array(2).fill({ estimator: "power", products: 5 }));
    expect(of("lanczos")).toEqual([lanczos, lanczos]);
    expect(of("spread")).toEqual([lanczos, { estimator: "power", products: 1 }]);
    expect(of("random")).toEqual([undefined, undefined]);
    expect(plan("lanczos", { iterations: 1 }).first).toEqual({ estimator: "power", products: 1 });
    expect(plan("free").follow).toBe(0.1);
    expect(plan("lanczos").follow).toBe(0);
  });
});
