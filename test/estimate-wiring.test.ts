import { afterAll, describe, expect, it } from "vitest";
import type { Split } from "../src/data/dataset.ts";
import { fixedBatches } from "../src/train/fixed-batches.ts";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import { warmStart } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { FEATURES, gradientByHand, hessianByHand, scoreByHand } from "./support/by-hand.ts";
import { densePairs, operatorOf } from "./support/curvature.ts";
import { along, dotOf, normOf, relativeError } from "./support/numbers.ts";
import { F32, TRAINER_F32 } from "./tolerances.ts";
import {
  ROWS,
  RHO,
  ALPHA,
  LR,
  SEED,
  releaseAll,
  GOOD,
  BAD,
  draw,
  batch,
  RUNNING,
  begun,
  trainingLoss,
  gradient,
  unit,
  cosine,
  eigenSam,
  stepped,
} from "./support/hand-session.ts";

afterAll(releaseAll);

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
    expect(state.quality).toEqual({ made: true, failures: lambda > 0 ? 0 : 1, at: 0 });
    expect([...state.buffers]).toEqual([...RUNNING]);
  });

  it("by spread is made anew by Lanczos after one that was no good, at the step where it stands", async () => {
    const method = { name: "eigen-sam", solver: "spread", iterations: 3, every: 9, trust: 1e-9 };
    const { stepper, state } = await begun(BAD, method);
    state.step = 2;
    expect(await stepper.refresh(state, batch)).toMatchObject({ estimator: "lanczos", products: 3, good: false });
    expect(state.quality).toEqual({ made: true, failures: 2, at: 2 });
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
    // From there other weights move the loss, and an estimate may have zeros.
    await stepper.refresh(state, { x: new Float32Array(ROWS * FEATURES), y: batch.y });
    expect(Math.max(...state.v.subarray(0, 6).map(Math.abs))).toBe(0);
    expect(normOf(state.v)).toBeCloseTo(1, 5);
  });

  it.each([
    ["none", "is not used: the step is SAM's", false],
    ["official", "is used all the same", true],
  ] as const)("that is no good, with compat=%s, %s", async (compat, _, used) => {
    const method = { name: "eigen-sam", alpha: ALPHA, solver: "power", iterations: 2, trust: 1e-9, compat };
    const { stepper, state } = await begun(GOOD, method);
    expect(await stepper.refresh(state, batch)).toMatchObject({ good: false, used });
    const [theta, g] = [state.theta.slice(), gradient(state.theta)];
    const epsilon = used ? eigenSam(g, state.v) : unit(g).map((value) => RHO * value);
    await stepper.step(state, batch, { lr: LR });
    expect(relativeError(state.theta, stepped(theta, epsilon))).toBeLessThan(F32);
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

describe("a look of the probe that stops early", () => {
  it("has the space of its own stream, measured residuals, the worth of v and the coming step", async () => {
    const probing = { every: 0, at: [3], batches: 2, top: 2, tolerance: 1e-9, products: 6 };
    const method = { name: "eigen-sam", alpha: ALPHA, solver: "power" };
    const { state, probe, train, stepper } = await begun(GOOD, method, { probe: probing });
    const fixed = fixedBatches(train as Split, ROWS, 2, rng(SEED, "probe"));
    const f = (theta: ArrayLike<number>) => fixed.reduce((sum, each) => sum + trainingLoss(theta, each) / 2, 0);
    const H = hessianByHand(f, state.theta);
    const g = gradient(state.theta);
    state.step = 3;
    const coming = { stepper, batch, numbers: { lr: LR } };
    const asked = { top: 2, bottom: 0, tolerance: 1e-9, maxProducts: 6 };
    for (const warm of [false, true]) {
      const random = rng(SEED, "probe", "start", 3);
      const from = warm ? { start: warmStart(Float64Array.from(state.probe.start!), random) } : {};
      const { top } = await extremeEigenpairs(operatorOf(H), { ...asked, random, ...from });
      const vectors = top.map(({ vector }) => vector);
      const values = top.map(({ eigenvalue }) => eigenvalue);
      const found = await probe!.look(state, { coming });
      expect(relativeError(found.eigenvalues, values)).toBeLessThan(1e-3);
      const residuals = vectors.map((v, i) => {
        const rest = along(
          H.map((row) => dotOf(row, v)),
          v,
          -values[i]!,
        );
        return normOf(rest) / Math.abs(values[i]!);
      });
      expect(relativeError(found.residuals, residuals)).toBeLessThan(1e-2);
      expect(relativeError(state.probe.start!, along(vectors[0]!, vectors[1]!, 1))).toBeLessThan(1e-2);
      // Six, one for each residual, and one for v.
      expect(found.products).toBe(9);
      const Hv = H.map((row) => dotOf(row, state.v));
      expect(found.ratio).toBeCloseTo(dotOf(state.v, Hv) / values[0]!, 3);
      expect(found.subspace).toBeCloseTo(dotOf(state.v, vectors[0]!) ** 2 + dotOf(state.v, vectors[1]!) ** 2, 3);
      expect(found.cosGrad).toBeCloseTo(cosine(g, vectors[0]!), 3);
      expect(found.cosEps).toBeCloseTo(cosine(eigenSam(g, state.v), vectors[0]!), 3);
      expect(found.inUse).toBe(true);
    }
    expect(await probe!.look(state)).not.toHaveProperty("inUse");
    expect([0, 3, 9].map((step) => probe!.due(step, 9))).toEqual([false, true, false]);
  });
});
