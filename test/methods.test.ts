import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { add, mul } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { reshape } from "../src/graph/ops/reshape.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { correct } from "../src/nn/accuracy.ts";
import { methodOfPhase, ownPhase } from "../src/optim/phases.ts";
import type { Method } from "../src/optim/method.ts";
import { trainingMethodNames, trainingMethods } from "../src/optim/methods/index.ts";
import { stepMetrics } from "../src/optim/metrics/index.ts";
import { type Optimizer, type OptimizerName, type OptimizerSettings, optimizers } from "../src/optim/optimizers.ts";
import { type ScheduleArgs, scheduleFactor } from "../src/optim/schedules.ts";
import { combine, ritz } from "../src/spectrum/lanczos.ts";
import { followSecant, krylovSpace, powerIteration } from "../src/optim/eigenvector.ts";
import { rng } from "../src/util/rng.ts";
import { denseNumbers } from "./support/curvature.ts";
import { trainingStep } from "../src/optim/training-step.ts";
import { along, dotOf, normOf, relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { runOn } from "./support/run.ts";
import { F64, POWER_ITERATION } from "./tolerances.ts";

const N = 7;
const [RHO, ALPHA, SIGMA, LAMBDA, MU, GAMMA, BETA, ETA] = [0.3, 0.2, 0.6, 0.7, 0.9, 0.4, 0.15, 0.1];
const [DELTA, BETA1] = [0.05, 0.8];
const scaled = (x: ArrayLike<number>, by: number) => Float64Array.from(x, (value) => value * by);
const unit = (x: ArrayLike<number>) => scaled(x, 1 / normOf(x));
const times = (x: ArrayLike<number>, y: ArrayLike<number>) => Float64Array.from(x, (value, i) => value * y[i]!);

/** f(θ) = ½θᵀAθ + Σ cᵢθᵢ³/6: g = Aθ + cθ²/2, H = A + diag(cθ), T[u,u] = c·u². */
const B = vector("A", [N, N]);
const A = Float64Array.from({ length: N * N }, (_, at) => B[at]! + B[(at % N) * N + Math.floor(at / N)]!);
const c = vector("c", [N]);
const theta0 = vector("theta", [N]);
const v0 = unit(vector("v", [N]));
const Av = (x: ArrayLike<number>) =>
  Float64Array.from({ length: N }, (_, i) => dotOf(A.subarray(i * N, (i + 1) * N), x));
const gradient = (x: ArrayLike<number>) => along(Av(x), times(c, times(x, x)), 0.5);
const hessian = (x: ArrayLike<number>, u: ArrayLike<number>) => along(Av(u), times(times(c, x), u), 1);

const [theta, v] = [input("theta", [N], "f64"), input("v", [N], "f64")];
function f(x: Tensor): Tensor {
  const Ax = reshape(matmul(constant(A, [N, N], "f64"), reshape(x, [N, 1])), [N]);
  const cubes = mul(constant(c, [N], "f64"), mul(x, mul(x, x)));
  return add(mul(0.5, sum(mul(x, Ax))), mul(1 / 6, sum(cubes)));
}

const g0 = gradient(theta0);
const ghat = unit(g0);
const asamEpsilon = scaled(times(times(theta0, theta0), g0), RHO / normOf(times(theta0, g0)));
const c0 = dotOf(v0, ghat);
const eigenEpsilon = scaled(along(ghat, along(v0, ghat, -c0), ALPHA * Math.sign(c0)), RHO);
const at = (epsilon: ArrayLike<number>) => gradient(along(theta0, epsilon, 1));
const [ahead, behind] = [at(scaled(ghat, RHO)), at(scaled(ghat, -RHO))];
const m0 = vector("m", [N]);
const s0 = vector("s", [N]).map((x) => 1 + Math.abs(x));
/** t·x/s. */
const over = (x: ArrayLike<number>, t: number) => Float64Array.from(x, (value, i) => (t * value) / s0[i]!);
const counts = Float64Array.from({ length: N }, (_, i) => i % 2);
const masked = times(counts, g0);
const across = along(g0, ahead, -dotOf(g0, ahead) / normOf(ahead) ** 2);
const scale = counts.map((counted, i) => (counted === 1 ? Math.abs(theta0[i]!) + ETA : 1));

const PLACE = 1.3;
function arcOf(u: Float64Array, w: Float64Array, a: number): Float64Array {
  const angle = Math.acos(dotOf(u, w));
  return along(scaled(u, Math.sin((1 - a) * angle)), w, Math.sin(a * angle)).map((x) => x / Math.sin(angle));
}

/** The direction of every method by its formula, from a state vector m that is not zero. */
const expected: Readonly<Record<string, Float64Array>> = {
  sgd: g0,
  sam: at(scaled(ghat, RHO)),
  usam: at(scaled(g0, RHO)),
  asam: at(asamEpsilon),
  "reverse-sam": at(scaled(ghat, -RHO)),
  egr: along(g0, hessian(theta0, ghat), RHO),
  "third-order": along(g0, times(c, times(ghat, ghat)), RHO ** 2 / 2),
  "eigen-sam": at(eigenEpsilon),
  "f-sam": at(scaled(unit(along(g0, m0, -SIGMA)), RHO)),
  vasso: at(scaled(unit(along(scaled(m0, LAMBDA), g0, 1 - LAMBDA)), RHO)),
  gsam: along(ahead, across, -ALPHA),
  msam: at(scaled(unit(m0), -RHO)),
  "sam-on": at(scaled(unit(masked), RHO)),
  wsam: along(g0, along(along(ahead, g0, -1), m0, -MU), GAMMA / (1 - GAMMA)),
  "asam-eta": at(scaled(times(times(scale, scale), g0), RHO / normOf(times(scale, g0)))),
  "cr-sam": along(along(ahead, along(along(ahead, behind, 1), g0, -2), GAMMA), along(ahead, behind, -1), BETA),
  // Step 2 of 3, where c = −⅓: below the running mean at least.
  "ae-sam": at(scaled(ghat, RHO)),
  // The base moves by the direction itself.
  sampa: along(scaled(m0, 1 - LAMBDA), gradient(along(theta0, s0, -1)), LAMBDA),
  // Without noise.
  bsam: along(scaled(m0, BETA1), along(at(over(g0, RHO)), theta0, DELTA), 1 - BETA1).map((x, i) => x / s0[i]!),
  // Step 2, k = 3: at the place that was found before.
  xsam: scaled(arcOf(ghat, unit(ahead), PLACE), normOf(ahead)),
  // All tensors and all examples.
  esam: at(scaled(ghat, RHO / BETA)),
  // Step 2, k = 3: between two steps of SAM.
  "look-sam": along(g0, m0, ALPHA * normOf(g0)),
};

const settings: OptimizerSettings = {
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
};

/** One step of a method over plain SGD with learning rate 1: θ − θ' is the direction. */
function stepOf(method: Method, m: Float64Array = m0, loss = f) {
  const slots = { momentum_buffer: constant(0, [N], "f64") };
  const hyper = {
    rho: RHO,
    alpha: ALPHA,
    sigma: SIGMA,
    lambda: LAMBDA,
    mu: MU,
    gamma: GAMMA,
    beta: BETA,
    eta: ETA,
    k: 3,
    rhoMax: 0.2,
    ...{ delta: DELTA, lambda1: -1, lambda2: 1, span: 3, beta1: BETA1, beta2: 0.9, examples: 10, damping: 0.1 },
  };
  const tensors = Object.entries(hyper).map(([name, value]) => [name, constant(value, [], "f64")]);
  const values = {
    ...{ ...Object.fromEntries(tensors), ...(method.hyper.gamma?.fixed ? { gamma: 1 } : {}) },
    m: constant(m, [N], "f64"),
    u: constant(m, [N], "f64"),
    r: constant(m, [N], "f64"),
    s: constant(s0, [N], "f64"),
    p: constant(m, [N], "f64"),
    h: constant(m === m0 ? s0 : m, [N], "f64"),
    a: constant(PLACE, [N], "f64"),
    mean: constant(0.5, [N], "f64"),
    variance: constant(0.01, [N], "f64"),
  };
  const [mask, step] = [constant(counts, [N], "f64"), constant(2, [], "f64")];
  const common = {
    f: loss,
    theta,
    v,
    mask,
    step,
    settings,
    scalars: {},
    lr: 1,
    values,
    metrics: Object.values(stepMetrics),
  };
  return trainingStep({
    ...common,
    method: methodOfPhase(method, ownPhase(method, 2, hyper)),
    optimizer: optimizers.sgd,
    slots,
  });
}

describe("the direction of a training method", () => {
  it("is known to this table for every method", () => {
    expect(Object.keys(expected).sort()).toEqual([...trainingMethodNames].sort());
  });

  it.each(trainingMethodNames)("%s follows its formula", async (name) => {
    const { theta: next, loss, metrics } = stepOf(trainingMethods[name]);
    const results = await runOn({ next, loss, gradNorm: metrics.gradNorm! }, { theta: theta0, v: v0 });
    expect(relativeError(along(theta0, results.next, -1), expected[name]!)).toBeLessThan(F64);
    expect(relativeError(results.gradNorm, [normOf(g0)])).toBeLessThan(F64);
  });

  it.each(trainingMethodNames)("%s is finite and plain where g = 0", async (name) => {
    const zeros = new Float64Array(N);
    const { next } = await runOn({ next: stepOf(trainingMethods[name], zeros).theta }, { theta: zeros, v: v0 });
    const moved = (trainingMethods[name] as Method).needs.v ? undefined : zeros;
    for (const value of next) expect(Number.isFinite(value)).toBe(true);
    if (moved) expect(Array.from(next, Math.abs)).toEqual([...moved]);
  });

  it.each(trainingMethodNames)("%s takes as many gradients as it says", (name) => {
    const method: Method = trainingMethods[name];
    const passes = (rule: Method) => {
      let count = 0;
      const counted = (point: Tensor) => {
        count++;
        return f(point);
      };
      stepOf(rule, m0, counted);
      return count;
    };
    const phases = method.between ? (["between", "own"] as const) : (["own"] as const);
    // LookSAM has 1 in most steps, and 2 in others.
    const said = [...method.cost!.matchAll(/(?:^|and )(\d+)/g)].map(([, digit]) => Number(digit));
    expect(phases.map((phase) => passes({ ...methodOfPhase(method, phase), between: undefined as never }))).toEqual(
      said,
    );
  });

  it("reports |cos(g,v)| and |cos(ε,v)| as tabulated", async () => {
    const { cosGradV, cosEpsV } = stepOf(trainingMethods["eigen-sam"]).metrics;
    const results = await runOn({ cosGradV: cosGradV!, cosEpsV: cosEpsV! }, { theta: theta0, v: v0 });
    const cosine = Math.abs(c0);
    const turned = (cosine + ALPHA * (1 - cosine ** 2)) / Math.sqrt(1 + ALPHA ** 2 * (1 - cosine ** 2));
    expect(relativeError(results.cosGradV, [cosine])).toBeLessThan(F64);
    expect(relativeError(results.cosEpsV, [turned])).toBeLessThan(F64);
  });

  it("of Eigen-SAM with v = 0 is SAM's", () => {
    const feeds = { theta: theta0, v: new Float64Array(N) };
    const [eigen] = evaluate([stepOf(trainingMethods["eigen-sam"]).theta], feeds);
    expect(relativeError(along(theta0, eigen!, -1), expected.sam!)).toBeLessThan(F64);
  });
});

describe("base optimizers follow PyTorch's", () => {
  const golden: Record<string, number[][]> = JSON.parse(
    readFileSync(new URL("golden/optimizers.json", import.meta.url), "utf8"),
  );
  const cases: Readonly<Record<string, [OptimizerName, number, number, Partial<OptimizerSettings>]>> = {
    sgd: ["sgd", 0.05, 0, { momentum: 0.9, weightDecay: 0.01 }],
    "sgd-nesterov": ["sgd", 0.05, 0, { momentum: 0.8, weightDecay: 0.01, nesterov: true }],
    "sgd-plain": ["sgd", 0.05, 0, {}],
    "sgd-clip": ["sgd", 0.05, 0.3, { momentum: 0.9 }],
    adamw: ["adamw", 0.05, 0, { beta2: 0.99, eps: 1e-6, weightDecay: 0.1 }],
    "adamw-clip": ["adamw", 0.02, 0.3, { weightDecay: 0.01 }],
  };
  const n = 6;
  const x = input("x", [n], "f64");
  const a = constant(
    Float64Array.from({ length: n }, (_, i) => i + 1),
    [n],
    "f64",
  );
  const cubic = (t: Tensor) => add(mul(0.5, sum(mul(a, mul(t, t)))), mul(1 / 6, sum(mul(t, mul(t, t)))));

  it.each(Object.keys(golden))("%s, ten steps", (name) => {
    const [kind, lr, clip, given] = cases[name]!;
    const optimizer: Optimizer = optimizers[kind];
    const own = { ...settings, ...given };
    const scalarNames = Object.keys(optimizer.scalars(1, own));
    const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, input(slot, [n], "f64")]));
    const scalars = Object.fromEntries(scalarNames.map((scalar) => [scalar, input(scalar, [], "f64")]));
    const method = trainingMethods.sgd;
    const common = { f: cubic, theta: x, v: x, values: {}, method, optimizer };
    const step = trainingStep({ ...common, settings: own, slots, scalars, lr, clip });
    let values: Record<string, Float64Array> = {
      x: Float64Array.from({ length: n }, (_, i) => -0.9 + (2 * i) / (n - 1)),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float64Array(n)])),
    };
    golden[name]!.forEach((expectedX, i) => {
      const now = Object.entries<number>(optimizer.scalars(i + 1, own)).map(([key, value]) => [
        key,
        Float64Array.of(value),
      ]);
      const outputs = [step.theta, ...optimizer.slots.map((slot) => step.slots[slot]!)];
      const results = evaluate(outputs, { ...values, ...Object.fromEntries(now) });
      values = Object.fromEntries(["x", ...optimizer.slots].map((key, j) => [key, Float64Array.from(results[j]!)]));
      expect(relativeError(values.x!, expectedX)).toBeLessThan(F64);
    });
  });
});

describe("learning-rate schedules", () => {
  const base: ScheduleArgs = { step: 0, stepsPerEpoch: 10, epochs: 4, warmup: 0, milestones: [1, 3], gamma: 0.1 };
  it.each([
    ["constant", 25, 0, 1],
    ["cosine", 0, 0, 1],
    ["cosine", 20, 0, 0.5],
    ["cosine", 39, 0, 0.5 * (1 + Math.cos((Math.PI * 39) / 40))],
    ["cosine", 4, 1, 0.5],
    ["cosine", 10, 1, 1],
    ["cosine", 25, 1, 0.5],
    ["step", 9, 0, 1],
    ["step", 10, 0, 0.1],
    ["step", 30, 0, 0.01],
  ] as const)("%s at step %d after %d epochs of warm-up", (name, step, warmup, factor) => {
    expect(scheduleFactor(name, { ...base, step, warmup })).toBeCloseTo(factor, 12);
  });
});

describe("the power iteration", () => {
  it("reports the Rayleigh quotient and the residual of the vector it multiplied last", async () => {
    const power = powerIteration(f, theta, v, 1);
    const { eigenvalue, residual } = power;
    const results = await runOn({ eigenvalue, residual, next: power.v }, { theta: theta0, v: v0 });
    const Hv = hessian(theta0, v0);
    const lambda = dotOf(v0, Hv);
    expect(relativeError(results.eigenvalue, [lambda])).toBeLessThan(F64);
    expect(relativeError(results.residual, [normOf(along(Hv, v0, -lambda)) / Math.abs(lambda)])).toBeLessThan(F64);
    expect(relativeError(results.next, unit(Hv))).toBeLessThan(F64);
  });

  it("reports the Rayleigh quotients of the first vector and of the last one, and nothing without a product", () => {
    const at = { theta: theta0, v: v0 };
    const numbersAfter = (iterations: number) => {
      const { first, eigenvalue, residual, v: next } = powerIteration(f, theta, v, iterations);
      return evaluate([first, eigenvalue, residual, next], at).map((each) => [...each]);
    };
    const second = unit(hessian(theta0, v0));
    const [Hv, Hw] = [hessian(theta0, v0), hessian(theta0, second)];
    const [before, lambda] = [dotOf(v0, Hv), dotOf(second, Hw)];
    const expected = [[before], [lambda], [normOf(along(Hw, second, -lambda)) / Math.abs(lambda)], unit(Hw)];
    for (const [i, numbers] of numbersAfter(2).entries())
      expect(relativeError(numbers, expected[i]!)).toBeLessThan(F64);
    expect(numbersAfter(0)).toEqual([[0], [0], [0], [...v0]]);
  });

  it("has a residual of zero at an eigenvector", () => {
    const power = powerIteration(f, theta, v, 200);
    const [next] = evaluate([power.v], { theta: theta0, v: v0 });
    const again = powerIteration(f, theta, v, 1);
    const [residual] = evaluate([again.residual], { theta: theta0, v: next! });
    expect(residual![0]).toBeLessThan(Math.sqrt(POWER_ITERATION));
  });
});

describe("an estimate of v", () => {
  const H = Array.from({ length: N }, (_, j) => hessian(theta0, new Float64Array(N).fill(1, j, j + 1)));
  const dense = denseNumbers(H);

  it("by Lanczos spans an orthonormal space in which H is tridiagonal", async () => {
    const steps = 4;
    const { basis, alpha, beta, g } = krylovSpace(f, theta, v, steps);
    const results = await runOn({ basis, alpha, beta, g }, { theta: theta0, v: v0 });
    const Q = Array.from({ length: steps }, (_, i) => Float64Array.from(results.basis.slice(i * N, (i + 1) * N)));
    expect(relativeError(results.g, g0)).toBeLessThan(F64);
    Q.forEach((q, i) => {
      const Hq = hessian(theta0, q);
      Q.forEach((p, j) => {
        expect(Math.abs(dotOf(q, p) - (i === j ? 1 : 0))).toBeLessThan(F64);
        const entry = i === j ? results.alpha[i]! : Math.abs(i - j) === 1 ? results.beta[Math.min(i, j)]! : 0;
        expect(Math.abs(dotOf(p, Hq) - entry)).toBeLessThan(F64);
      });
    });
  });

  it("by as many Lanczos steps as dimensions is the eigenvector of the largest signed eigenvalue", async () => {
    const { basis, alpha, beta } = krylovSpace(f, theta, v, N);
    const results = await runOn({ basis, alpha, beta }, { theta: theta0, v: v0 });
    const { values, vectors } = ritz({ alpha: [...results.alpha], beta: [...results.beta] });
    expect(relativeError([values.at(-1)!], [dense.eigenvalues[0]!])).toBeLessThan(1e-9);
    const rows = Array.from({ length: N }, (_, i) => Float64Array.from(results.basis.slice(i * N, (i + 1) * N)));
    const top = combine(rows, vectors.at(-1)!);
    expect(relativeError(hessian(theta0, top), scaled(top, dense.eigenvalues[0]!))).toBeLessThan(1e-6);
  });

  it("from the secant is the moving average of its direction, turned to ε's side of v", () => {
    // Δ is on the other side of v than ε, as where the curvature along v is negative.
    const [delta, epsilon] = [vector("delta", [N]), scaled(v0, -Math.sign(dotOf(vector("delta", [N]), v0)))];
    const side = Math.sign(dotOf(epsilon, v0));
    expect(side).toBe(-Math.sign(dotOf(delta, v0)));
    const tensor = (x: Float64Array) => constant(x, [N], "f64");
    const next = followSecant(v, tensor(delta), tensor(epsilon), 0.1);
    const [followed] = evaluate([next], { v: v0 });
    expect(relativeError(followed!, unit(along(scaled(v0, 0.9), unit(delta), 0.1 * side)))).toBeLessThan(F64);
    const [mirrored] = evaluate([next], { v: scaled(v0, -1) });
    expect(relativeError(mirrored!, scaled(followed!, -1))).toBeLessThan(F64);
    const [still] = evaluate([followSecant(v, constant(0, [N], "f64"), tensor(epsilon), 0.1)], { v: v0 });
    expect(relativeError(still!, v0)).toBeLessThan(F64);
  });

  it("follows, in a step of Eigen-SAM, the change of the gradient between the two points", async () => {
    const method = trainingMethods["eigen-sam"];
    const slots = { momentum_buffer: constant(0, [N], "f64") };
    const common = { f, theta, v, follow: 0.2, settings, scalars: {}, lr: 1, values: { rho: RHO, alpha: ALPHA } };
    const step = trainingStep({ ...common, method, optimizer: optimizers.sgd, slots });
    const { next } = await runOn({ next: step.v! }, { theta: theta0, v: v0 });
    const delta = along(at(eigenEpsilon), g0, -1);
    const side = Math.sign(dotOf(eigenEpsilon, v0));
    expect(relativeError(next, unit(along(scaled(v0, 0.8), unit(delta), 0.2 * side)))).toBeLessThan(F64);
  });

  it("by the secants of SAM on a quadratic comes to the top eigenvector", () => {
    // Δ = Hε exactly, and the gradients of random points are random vectors times H.
    const spectrum = Float64Array.of(5, 1, 0.5, 0.2, -0.5, 0.1, 0.3);
    const random = rng(1, "secants");
    let estimate = v0;
    for (let i = 0; i < 300; i++) {
      const g = spectrum.map((x) => x * random.normal());
      const epsilon = unit(g);
      const secant = constant(times(spectrum, epsilon), [N], "f64");
      const next = followSecant(v, secant, constant(epsilon, [N], "f64"), 0.1);
      estimate = Float64Array.from(evaluate([next], { v: estimate })[0]!);
    }
    expect(Math.abs(estimate[0]!)).toBeGreaterThan(0.97);
  });
});

describe("the count of right answers", () => {
  const [logits, labels] = [input("logits", [4, 3]), input("labels", [4], "i32")];
  it("takes the first of equal logits, and never NaN", async () => {
    const values = [0, 2, 1, 5, 5, 5, 5, 5, 5, Number.NaN, Number.NaN, Number.NaN];
    const { hits } = await runOn({ hits: correct(logits, labels) }, { logits: values, labels: [1, 0, 1, 0] });
    expect([...hits]).toEqual([1, 1, 0, 0]);
  });
});
