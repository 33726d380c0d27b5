import { afterAll, describe, expect, it } from "vitest";
import type { Batch, Dataset, Split } from "../src/data/dataset.ts";
import { add, mul } from "../src/graph/ops/elementwise.ts";
import { radius } from "../src/optim/hyper.ts";
import { defineMethod, gradAt } from "../src/optim/method.ts";
import type { Quality } from "../src/optim/refresh-plan.ts";
import { fixedBatches } from "../src/train/fixed-batches.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { openSession, problemOf, type Session } from "../src/train/session.ts";
import { trainSettings } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import {
  CLASSES,
  FEATURES,
  forwardByHand,
  gradientByHand,
  handNet,
  hessianByHand,
  nextRunning,
  scoreByHand,
} from "./support/by-hand.ts";
import { densePairs } from "./support/curvature.ts";
import { along, dotOf, normOf, relativeError, uniform } from "./support/numbers.ts";
import { F32, TRAINER_F32 } from "./tolerances.ts";

const [ROWS, RHO, ALPHA, LR, SEED] = [6, 0.4, 0.3, 0.1, 3];
const GOOD: Quality = { made: true, good: true, failures: 0, at: 0 };
const BAD: Quality = { made: true, good: false, failures: 1, at: 0 };

/** Steps along g of some parameters and along what it keeps, which grows by g. */
const keeper = defineMethod({
  name: "keeper",
  title: "Keeper",
  summary: "m·g + slow",
  hyper: { rho: radius() },
  state: { slow: "theta", fast: "zeros" },
  needs: { v: true, mask: ({ name }) => name.startsWith("out.") },
  descend: ({ f, theta, g, v, mask, rho, slow, fast }) => ({
    direction: add(mul(mask, gradAt(f, add(theta, mul(rho, v)))), add(slow, fast)),
    epsilon: mul(rho, v),
    slow: add(slow, g),
    fast: add(fast, mul(2, g)),
  }),
});

const registry = extended(builtIn, [handNet, keeper]);
const draw = (label: string, count: number): Split => {
  const random = rng(1, label);
  return {
    x: Float32Array.from(uniform(random, count * FEATURES, -2, 2)),
    y: Int32Array.from({ length: count }, () => Math.floor(CLASSES * random.uniform())),
    count,
  };
};
const dataset: Dataset = {
  name: "drawn",
  targets: { kind: "labels", classes: CLASSES },
  inputShape: [FEATURES],
  mean: [],
  std: [],
  train: draw("train", 20),
  test: draw("test", 8),
};
const batch: Batch = draw("batch", ROWS);

/** Far from those of any mini-batch, so that which of the two is taken is seen. */
const RUNNING = Float32Array.of(0.7, -0.9, 3, 0.4);

const open = (method: object, more: Record<string, object> = {}) => {
  const config = trainSettings(registry).check({
    seed: SEED,
    threads: 1,
    model: { name: "hand-net" },
    data: { batch: ROWS, validation: 0 },
    method: { rho: RHO, ...method },
    optimizer: { lr: LR, momentum: 0, weightDecay: 0 },
    ...more,
  });
  return openSession(problemOf(config, dataset, registry));
};

/** The sessions that tests opened. */
const sessions: Session[] = [];
afterAll(async () => {
  for (const session of sessions) await session.release();
});

/** A session whose state is away from the beginning: statistics and v of its own, v known to be what `quality` says. */
async function begun(quality: Quality, method: object, more: Record<string, object> = {}) {
  const session = await open(method, more);
  sessions.push(session);
  const { state } = session;
  state.buffers.set(RUNNING);
  // Batch norm's scale and shift start as constants.
  const random = rng(2, "moved");
  state.theta.forEach((value, i) => {
    state.theta[i] = value + 0.2 * random.normal();
  });
  state.quality = quality;
  return session;
}

const trainingLoss = (theta: ArrayLike<number>, on: Batch = batch) => scoreByHand(theta, on, undefined).loss;
const gradient = (theta: ArrayLike<number>) => gradientByHand(trainingLoss, theta);
const unit = (x: ArrayLike<number>) => Float64Array.from(x, (value) => value / normOf(x));
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.abs(dotOf(a, b)) / normOf(a) / normOf(b);
/** ε of Eigen-SAM, ρ(ĝ + α·sign⟨g,v⟩·v⊥). */
const eigenSam = (g: ArrayLike<number>, v: ArrayLike<number>, rho = RHO, alpha = ALPHA) => {
  const u = unit(g);
  const along_ = dotOf(u, v);
  return along(u, along(v, u, -along_), alpha * Math.sign(along_)).map((value) => rho * value);
};
const stepped = (theta: ArrayLike<number>, epsilon: ArrayLike<number>, lr = LR) =>
  along(theta, gradient(along(theta, epsilon, 1)), -lr);
const times = (x: ArrayLike<number>, t: number) => Float64Array.from(x, (value) => t * value);

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

describe("an estimate of v", () => {
  it.each(["batch", "running"] as const)("uses the statistics of the %s in gradient and Hessian", async (hessianBn) => {
    const method = { name: "eigen-sam", solver: "power", iterations: 1, hessianBn, trust: 1e-9 };
    const { stepper, state } = await begun(GOOD, method);
    const v = state.v.slice();
    const f = (theta: ArrayLike<number>) => scoreByHand(theta, batch, hessianBn === "batch" ? undefined : RUNNING).loss;
    const Hv = hessianByHand(f, state.theta).map((row) => dotOf(row, v));
    const lambda = dotOf(Hv, v);
    const found = await stepper.refresh(state, batch);
    expect(found).toMatchObject({ estimator: "power", products: 1 });
    expect(Math.abs(found.eigenvalue / lambda - 1)).toBeLessThan(TRAINER_F32);
    expect(Math.abs(found.rayleigh / lambda - 1)).toBeLessThan(TRAINER_F32);
    expect(found.residual).toBeCloseTo(normOf(along(Hv, v, -lambda)) / Math.abs(lambda), 3);
    expect(found.cosGradV).toBeCloseTo(cosine(gradientByHand(f, state.theta), Hv), 4);
    expect(relativeError(state.v, unit(Hv))).toBeLessThan(TRAINER_F32);
    // One product has no residual of its own: its sign alone decides.
    expect(found.good).toBe(lambda > 0);
    expect(state.quality).toEqual({ made: true, good: lambda > 0, failures: lambda > 0 ? 0 : 1, at: 0 });
    expect([...state.buffers]).toEqual([...RUNNING]);
  });

  it("by spread is made anew by Lanczos after one that was no good, at the step where it stands", async () => {
    const method = { name: "eigen-sam", solver: "spread", iterations: 3, every: 9, trust: 1e-9 };
    const { stepper, state } = await begun(BAD, method);
    state.step = 2;
    expect(await stepper.refresh(state, batch)).toMatchObject({ estimator: "lanczos", products: 3, good: false });
    expect(state.quality).toEqual({ made: true, good: false, failures: 2, at: 2 });
    // Again after two steps, or at a third of nine.
    expect([3, 4].map((step) => stepper.refreshDue({ ...state, step }, step))).toEqual([true, true]);
    const quality = { ...GOOD, at: 2 };
    expect([3, 4].map((step) => stepper.refreshDue({ ...state, step, quality }, step))).toEqual([true, false]);
    state.quality = quality;
    expect(await stepper.refresh(state, batch)).toMatchObject({ estimator: "power", products: 1 });
  });

  it("of a direction that no example moves along starts anew at random, by the step", async () => {
    const { stepper, state } = await begun(GOOD, { name: "eigen-sam", solver: "power", iterations: 2 });
    state.v.fill(0);
    // A weight of the first layer, whose inputs are all zero.
    state.v[0] = 1;
    state.step = 4;
    const found = await stepper.refresh(state, { x: new Float32Array(ROWS * FEATURES), y: batch.y });
    expect(found).toMatchObject({ eigenvalue: 0, rayleigh: 0, good: false });
    const random = rng(SEED, "eigenvector", 4);
    const drawn = Array.from(state.v, () => random.normal());
    expect(relativeError(state.v, unit(drawn))).toBeLessThan(F32);
  });

  it("as the authors' code counts the steps of the epoch", async () => {
    const { stepper, state } = await begun(GOOD, { name: "eigen-sam", solver: "power", every: 4, compat: "official" });
    expect([0, 3, 4, 8].map((stepInEpoch) => stepper.refreshDue({ ...state, step: 5 }, stepInEpoch))).toEqual([
      ...[false, false, true, true],
    ]);
  });

  it.each(["batch", "running"] as const)(
    "by the oracle is of its own mini-batches alone, by the statistics of the %s",
    async (hessianBn) => {
      const method = { name: "eigen-sam", solver: "oracle", batches: 2, iterations: 20, hessianBn };
      const { stepper, state, train } = await begun(GOOD, method);
      const fixed = fixedBatches(train as Split, ROWS, 2, rng(SEED, "oracle"));
      for (const running of [RUNNING, RUNNING.map((x) => 1.5 * x)]) {
        state.buffers.set(running);
        const v = state.v.slice();
        const statistics = hessianBn === "batch" ? undefined : running;
        const f = (theta: ArrayLike<number>) =>
          fixed.reduce((sum, each) => sum + scoreByHand(theta, each, statistics).loss / 2, 0);
        const H = hessianByHand(f, state.theta);
        const [first] = densePairs(H);
        const found = await stepper.refresh(state, batch);
        expect(found.estimator).toBe("oracle");
        // The residual bounds the distance to an eigenvalue.
        expect(found.residual).toBeLessThanOrEqual(0.02);
        expect(Math.abs(found.eigenvalue / first!.value - 1)).toBeLessThan(found.residual ** 2 + TRAINER_F32 + 1e-3);
        expect(cosine(state.v, first!.vector)).toBeGreaterThan(0.999);
        expect(
          Math.abs(
            found.rayleigh -
              dotOf(
                v,
                H.map((row) => dotOf(row, v)),
              ),
          ),
        ).toBeLessThan(TRAINER_F32 * first!.value);
        expect(found.cosGradV).toBeCloseTo(cosine(gradientByHand(f, state.theta), state.v), 4);
        // Each over two mini-batches, and one for the old v.
        expect(found.products % 2).toBe(0);
        expect(found.products).toBeGreaterThan(2);
        expect(found.products).toBeLessThanOrEqual(2 * 21);
      }
      const [one, two] = [structuredClone(state), structuredClone(state)];
      expect(await stepper.refresh(one, batch)).toEqual(await stepper.refresh(two, draw("other", ROWS)));
      expect(one.v).toEqual(two.v);
    },
  );
});

describe("the probe", () => {
  it("takes the statistics of its own mini-batches, and the last vectors for its start", async () => {
    const { state, probe, train } = await begun(
      GOOD,
      { name: "sam" },
      { probe: { every: 2, batches: 2, top: 2, tolerance: 1e-4, products: 20 } },
    );
    const fixed = fixedBatches(train as Split, ROWS, 2, rng(SEED, "probe"));
    const f = (theta: ArrayLike<number>) => fixed.reduce((sum, each) => sum + trainingLoss(theta, each) / 2, 0);
    const pairs = densePairs(hessianByHand(f, state.theta));
    const found = await probe!.look(state);
    expect(Math.abs(found.loss / f(Float64Array.from(state.theta)) - 1)).toBeLessThan(F32);
    const exact = pairs.slice(0, 2).map(({ value }) => value);
    expect(relativeError(found.eigenvalues, exact)).toBeLessThan(TRAINER_F32);
    expect(found).toMatchObject({
      batches: 2,
      images: 2 * ROWS,
      eigenvalue: found.eigenvalues[0],
      residual: found.residuals[0],
    });
    // The sum of both eigenvectors, each up to its sign.
    const start = state.probe.start!;
    for (const { vector } of pairs.slice(0, 2)) expect(Math.abs(dotOf(start, vector))).toBeCloseTo(1, 3);
    expect(normOf(start)).toBeCloseTo(Math.SQRT2, 3);
    expect(
      [
        [0, 9],
        [1, 9],
        [2, 9],
        [9, 9],
      ].map(([step, total]) => probe!.due(step!, total!)),
    ).toEqual([true, false, true, true]);
  });
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
