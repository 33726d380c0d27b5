import { afterAll, describe, expect, it } from "vitest";
import { rng } from "../src/util/rng.ts";
import { forwardByHand, nextRunning, scoreByHand } from "./support/by-hand.ts";
import { along, normOf, relativeError, uniform } from "./support/numbers.ts";
import { F32 } from "./tolerances.ts";
import {
  RHO,
  ALPHA,
  LR,
  releaseAll,
  GOOD,
  BAD,
  dataset,
  batch,
  RUNNING,
  begun,
  gradient,
  unit,
  cosine,
  eigenSam,
  stepped,
  times,
} from "./support/hand-session.ts";

afterAll(releaseAll);

describe("a step", () => {
  it.each([
    ["sgd", "sgd", GOOD, {}, () => undefined],
    ["SAM", "sam", GOOD, {}, (g: Float64Array) => times(unit(g), RHO)],
    ["Eigen-SAM", "eigen-sam", GOOD, {}, (g: Float64Array, v: Float32Array) => eigenSam(g, v)],
    ["Eigen-SAM that has no good v is SAM", "eigen-sam", BAD, {}, (g: Float64Array) => times(unit(g), RHO)],
    ["Eigen-SAM that has no v yet is SAM", "eigen-sam", undefined, {}, (g: Float64Array) => times(unit(g), RHO)],
    ["… or USAM", "eigen-sam", undefined, { warmup: "usam" }, (g: Float64Array) => times(g, RHO)],
    ["… and SAM after USAM", "eigen-sam", BAD, { warmup: "usam" }, (g: Float64Array) => times(unit(g), RHO)],
  ] as const)(
    "of %s takes both gradients with the mini-batch's statistics, and moves the running ones once",
    async (_, name, quality, method, epsilonOf) => {
      const alpha = name === "eigen-sam" ? { alpha: ALPHA, solver: "power" } : {};
      const rho = name === "sgd" ? { rho: undefined } : {};
      const { stepper, state } = await begun(quality ?? { ...BAD, made: false }, { name, ...alpha, ...rho, ...method });
      const [theta, v, step] = [state.theta.slice(), state.v.slice(), state.step];
      const g = gradient(theta);
      const epsilon = epsilonOf(g, v);
      const { loss, correct, metrics } = await stepper.step(state, batch, { lr: LR });
      const at = scoreByHand(theta, batch, undefined);
      expect(Math.abs(loss / at.loss - 1)).toBeLessThan(F32);
      expect(correct).toBe(at.correct);
      expect(relativeError(state.theta, stepped(theta, epsilon ?? g.fill(0)))).toBeLessThan(F32);
      expect(relativeError(state.buffers, nextRunning(theta, batch, RUNNING))).toBeLessThan(F32);
      expect(state.step).toBe(step + 1);
      expect([...state.v]).toEqual([...v]);
      const alongV = name === "eigen-sam" && quality === GOOD;
      expect(Object.keys(metrics).sort()).toEqual(alongV ? ["cosEpsV", "cosGradV", "gradNorm"] : ["gradNorm"]);
      if (!alongV || epsilon === undefined) return;
      const again = gradient(theta);
      expect(metrics.gradNorm).toBeCloseTo(normOf(again), 5);
      expect(metrics.cosGradV).toBeCloseTo(cosine(again, v), 5);
      expect(metrics.cosEpsV).toBeCloseTo(cosine(epsilon, v), 5);
    },
  );

  it("takes the numbers of the step, not those it was compiled with", async () => {
    const { stepper, state } = await begun(GOOD, { name: "eigen-sam", alpha: ALPHA });
    const [theta, v] = [state.theta.slice(), state.v.slice()];
    await stepper.step(state, batch, { lr: 0.7, hyper: { rho: 0.1 } });
    expect(relativeError(state.theta, stepped(theta, eigenSam(gradient(theta), v, 0.1), 0.7))).toBeLessThan(F32);
  });

  it("of a state that has taken steps corrects AdamW's means by the number of this one", async () => {
    const beta = { beta1: 0.8, beta2: 0.9 };
    const { stepper, state } = await begun(
      GOOD,
      { name: "sgd", rho: undefined },
      { optimizer: { name: "adamw", lr: LR, weightDecay: 0.3, eps: 0.01, ...beta } },
    );
    const theta = state.theta.slice();
    state.slots.exp_avg!.fill(0.2);
    state.slots.exp_avg_sq!.fill(0.5);
    state.step = 5;
    await stepper.step(state, batch, { lr: LR });
    const g = gradient(theta);
    const [mean, square] = [g.map((x) => 0.16 + 0.2 * x), g.map((x) => 0.45 + 0.1 * x * x)];
    const expected = Float64Array.from(theta, (value, i) => {
      const [m, s] = [mean[i]! / (1 - 0.8 ** 6), square[i]! / (1 - 0.9 ** 6)];
      return value - LR * 0.3 * value - (LR * m) / (Math.sqrt(s) + 0.01);
    });
    expect(relativeError(state.theta, expected)).toBeLessThan(F32);
    expect(relativeError(state.slots.exp_avg!, mean)).toBeLessThan(F32);
    expect(relativeError(state.slots.exp_avg_sq!, square)).toBeLessThan(F32);
    expect(state.step).toBe(6);
  });

  it("of a method of one's own has its mask, its vectors each by its name, and leaves them alone in a warm-up", async () => {
    const { stepper, state, model } = await begun(GOOD, { name: "keeper", warmup: "usam" });
    const { slow, fast } = state.method;
    fast!.fill(0.3);
    const [theta, v, kept] = [state.theta.slice(), state.v.slice(), slow!.slice()];
    const counts = Float64Array.from(theta);
    for (const { name, offset, size } of model.parameters.entries)
      counts.fill(Number(name.startsWith("out.")), offset, offset + size);
    await stepper.step(state, batch, { lr: LR });
    const [g, there] = [gradient(theta), gradient(along(theta, v, RHO))];
    const direction = there.map((x, i) => counts[i]! * x + kept[i]! + 0.3);
    expect(relativeError(state.theta, along(theta, direction, -LR))).toBeLessThan(F32);
    expect(relativeError(slow!, along(kept, g, 1))).toBeLessThan(F32);
    expect(
      relativeError(
        fast!,
        g.map((x) => 0.3 + 2 * x),
      ),
    ).toBeLessThan(F32);
    const [before, slowBefore, fastBefore] = [state.theta.slice(), slow!.slice(), fast!.slice()];
    state.quality = { ...BAD, made: false };
    await stepper.step(state, batch, { lr: LR });
    expect(relativeError(state.theta, stepped(before, times(gradient(before), RHO)))).toBeLessThan(F32);
    expect([[...slow!], [...fast!]]).toEqual([[...slowBefore], [...fastBefore]]);
  });

  it("by the solver free moves v where v is good, and only there", async () => {
    const { stepper, state } = await begun(BAD, { name: "eigen-sam", alpha: ALPHA, solver: "free" });
    const v = state.v.slice();
    await stepper.step(state, batch, { lr: LR });
    expect([...state.v]).toEqual([...v]);
    state.quality = GOOD;
    await stepper.step(state, batch, { lr: LR });
    expect([...state.v]).not.toEqual([...v]);
  });
});

describe("a look", () => {
  const u = Float32Array.from(unit(uniform(rng(4, "u"), 21)));

  it.each([
    ["sgd", { name: "sgd", rho: undefined }, GOOD, () => undefined],
    ["SAM", { name: "sam" }, GOOD, (g: Float64Array) => g],
    [
      "Eigen-SAM by its own α",
      { name: "eigen-sam", alpha: 2 },
      GOOD,
      (g: Float64Array, v: Float32Array) => eigenSam(g, v),
    ],
    ["Eigen-SAM without a good v", { name: "eigen-sam", alpha: 2 }, BAD, (g: Float64Array) => g],
    ["a method with a mask", { name: "keeper" }, GOOD, (_: Float64Array, v: Float32Array) => v],
  ] as const)(
    "at a step of %s sees the gradient and ε as the step has them, and changes nothing",
    async (_, method, quality, epsilonOf) => {
      const { stepper, state } = await begun(quality, method);
      const before = structuredClone(state);
      const hyper = method.name === "eigen-sam" ? { hyper: { alpha: ALPHA } } : {};
      const seen = await stepper.look(state, batch, { lr: LR, ...hyper }, u);
      const g = gradient(state.theta);
      const epsilon = epsilonOf(g, state.v);
      expect(seen.cosGrad).toBeCloseTo(cosine(g, u), 5);
      if (epsilon) expect(seen.cosEps).toBeCloseTo(cosine(epsilon, u), 5);
      else expect(seen).not.toHaveProperty("cosEps");
      expect(state).toEqual(before);
      expect(stepper.usesV(state)).toBe(method.name !== "sgd" && method.name !== "sam" && quality === GOOD);
    },
  );
});

describe("scores and predictions", () => {
  it("take the running statistics, and each example once whatever the last batch lacks", async () => {
    const { evaluator, state } = await begun(GOOD, { name: "sgd", rho: undefined });
    const test = dataset.test!;
    const expected = scoreByHand(state.theta, test, RUNNING);
    const { loss, accuracy } = await evaluator.score(state, test);
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(F32);
    expect(accuracy).toBe(expected.correct / test.count);
    const predicted = await evaluator.predict(state, test.x, test.count);
    expect(relativeError(predicted, expected.predicted.flat())).toBeLessThan(F32);
    // Far apart, so that the wrong ones would be seen.
    expect(Math.abs(scoreByHand(state.theta, test, undefined).loss / expected.loss - 1)).toBeGreaterThan(0.05);
    expect(forwardByHand(state.theta, test, RUNNING).rows).toBe(8);
  });
});
