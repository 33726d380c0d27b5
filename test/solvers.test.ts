import { describe, expect, it } from "vitest";
import { mul } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { constant } from "../src/graph/ops/source.ts";
import { type CompiledStep, compileStep, type Network, rng } from "../src/node.ts";
import type { SolverName } from "../src/optim/eigenvector.ts";
import type { Quality } from "../src/optim/refresh-plan.ts";

/** Eigenvalues: the largest signed one is 5, and −8 is larger in absolute value. */
const SPECTRUM = [5, -8, 2, 0.5, -0.5, 0.2, 0.1, -0.1];
const N = SPECTRUM.length;
const GOOD: Quality = { made: true, failures: 0, at: 0 };

/** f(w) = ½ Σ λᵢwᵢ² for every example, so that the Hessian is diag(λ) everywhere and the gradient diag(λ)·w. */
const planted: Network = (scope, x) => {
  const w = scope.parameter({ name: "w", shape: [N], init: { uniform: 1 } });
  return mul(x, mul(0.5, sum(mul(constant(Float32Array.from(SPECTRUM), [N]), mul(w, w)))));
};
/** f(w) = ⅙ Σ wᵢ³: the Hessian diag(w) is zero at w = 0. */
const cubic: Network = (scope, x) => {
  const w = scope.parameter({ name: "w", shape: [N], init: { uniform: 1 } });
  return mul(x, mul(1 / 6, sum(mul(w, mul(w, w)))));
};
const batch = { x: Float32Array.of(1), y: Float32Array.of(0) };

const stepFor = (network: Network, solver: SolverName, method: object = {}): Promise<CompiledStep> =>
  compileStep({
    network,
    inputs: { x: [1, 1], y: [1, 1] },
    loss: (output) => sum(output),
    method: { name: "eigen-sam", rho: 0.1, alpha: 0.2, solver, ...method },
    optimizer: { name: "sgd", momentum: 0, weightDecay: 0 },
    threads: 1,
  });

const axis = (i: number) => Float32Array.from({ length: N }, (_, j) => (i === j ? 1 : 0));
const drawn = (seed: number, label: string) => {
  const random = rng(seed, label);
  const x = Float32Array.from({ length: N }, () => random.normal());
  const norm = Math.hypot(...x);
  return x.map((value) => value / norm);
};
const rayleigh = (v: Float32Array) => v.reduce((total, x, i) => total + SPECTRUM[i]! * x * x, 0);

describe("where a negative eigenvalue is larger than λ₁ in absolute value", () => {
  const starts = [axis(1), axis(0), axis(4), ...[1, 2, 3, 4].map((seed) => drawn(seed, "start"))];

  it("free comes to λ₁ from any start, the negative eigenvector included", async () => {
    const step = await stepFor(planted, "free");
    for (const [i, start] of starts.entries()) {
      const state = step.init();
      state.v.set(start);
      state.quality = GOOD;
      const late: number[] = [];
      for (let t = 0; t < 300; t++) {
        // The gradients of random points: what many batches give.
        state.theta.set(drawn(t, `theta ${i}`));
        await step.run(state, batch, { lr: 0 });
        if (t >= 200) late.push(rayleigh(state.v) / SPECTRUM[0]!);
      }
      expect(Math.min(...late)).toBeGreaterThan(0.5);
      expect(late.reduce((a, b) => a + b) / late.length).toBeGreaterThan(0.85);
    }
    await step.release();
  });

  it("lanczos comes to λ₁ from any start, and power to −8, which is judged no good", async () => {
    const [lanczos, power] = [
      await stepFor(planted, "lanczos", { iterations: N }),
      await stepFor(planted, "power", { iterations: 30 }),
    ];
    for (const start of starts.slice(3)) {
      const state = lanczos.init();
      state.v.set(start);
      await lanczos.refresh(state, batch);
      expect(rayleigh(state.v)).toBeCloseTo(5, 4);
      expect(lanczos.measured).toMatchObject({ good: true, used: true });
      const other = power.init();
      other.v.set(start);
      await power.refresh(other, batch);
      expect(rayleigh(other.v)).toBeCloseTo(-8, 2);
      expect(power.measured).toMatchObject({ good: false, used: false });
      expect(other.quality).toMatchObject({ made: true, failures: 1 });
    }
    await lanczos.release();
    await power.release();
  });

  it("Eigen-SAM is SAM, to the byte, until an estimate is good", async () => {
    const eigen = await stepFor(planted, "power", { iterations: 30 });
    const sam = await compileStep({
      network: planted,
      inputs: { x: [1, 1], y: [1, 1] },
      loss: (output) => sum(output),
      method: { name: "sam", rho: 0.1 },
      optimizer: { name: "sgd", momentum: 0, weightDecay: 0 },
      threads: 1,
    });
    const [a, b] = [eigen.init(), sam.init()];
    await eigen.refresh(a, batch);
    const { metrics } = await eigen.run(a, batch, { lr: 0.05 });
    await sam.run(b, batch, { lr: 0.05 });
    expect(metrics).not.toHaveProperty("cosEpsV");
    // Where v = 0 the graph adds and subtracts zeros.
    expect([...a.theta]).toEqual([...b.theta]);
    a.quality = GOOD;
    await eigen.run(a, batch, { lr: 0.05 });
    await sam.run(b, batch, { lr: 0.05 });
    expect([...a.theta]).not.toEqual([...b.theta]);
    await eigen.release();
    await sam.release();
  });
});

describe("an estimate", () => {
  it("of a direction without curvature starts anew at random, and recovers", async () => {
    const step = await stepFor(cubic, "power", { iterations: 3 });
    const state = step.init();
    state.theta.fill(0);
    const before = state.v.slice();
    await step.refresh(state, batch);
    expect(step.measured).toMatchObject({ eigenvalue: 0, good: false });
    expect(Math.hypot(...state.v)).toBeCloseTo(1, 5);
    expect([...state.v]).not.toEqual([...before]);
    state.theta.set(axis(3));
    await step.refresh(state, batch);
    expect(step.measured).toMatchObject({ good: true });
    expect(Math.abs(state.v[3]!)).toBeCloseTo(1, 4);
    await step.release();
  });
});
