import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { expect, it } from "vitest";
import { linear, type Network } from "../src/index.ts";
import { compileStep, type StepOptions } from "../src/node.ts";
import { oneLinear, plain, regressionData } from "./support/linear.ts";
import { dotOf, normOf, relativeError } from "./support/numbers.ts";

const rows = 12;
const { x, y } = regressionData(rows, 3);
const batch = { x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat()) };
const base = {
  network: oneLinear,
  inputs: { x: [rows, 3], y: [rows, 1] },
  loss: "mse",
  optimizer: plain,
  threads: 1,
} as const satisfies StepOptions;

/** The same problem in float64: f(θ) = ‖Aθ − y‖²/n with θ = (w, b). */
const A = new Matrix(x.map((row) => [...row, 1]));
const H = A.transpose()
  .mmul(A)
  .mul(2 / rows);
const gradient = (theta: ArrayLike<number>): number[] =>
  A.transpose()
    .mmul(Matrix.sub(A.mmul(Matrix.columnVector(Array.from(theta))), new Matrix(y)))
    .mul(2 / rows)
    .to1DArray();
const { realEigenvalues } = new EigenvalueDecomposition(H, { assumeSymmetric: true });
const largest = Math.max(...realEigenvalues);

const plus = (a: ArrayLike<number>, t: number, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => value + t * (b[i] ?? 0));
const scaled = (a: ArrayLike<number>, t: number) => Array.from(a, (value) => t * value);

it("takes the step of SAM: θ − η∇f(θ + ρg/‖g‖)", async () => {
  const step = await compileStep({ ...base, method: { name: "sam", rho: 0.3 } });
  const state = step.init({ seed: 5 });
  const theta = Array.from(state.theta);
  expect(step.refreshDue(state)).toBe(false);
  const { state: after, metrics } = await step.run(state, batch, { lr: 0.1 });
  expect(after).toBe(state);
  const g = gradient(theta);
  const exact = plus(theta, -0.1, gradient(plus(theta, 0.3 / normOf(g), g)));
  expect(relativeError(state.theta, exact)).toBeLessThan(1e-5);
  expect(metrics.gradNorm).toBeCloseTo(normOf(g), 4);
  expect(metrics.accuracy).toBeUndefined();
  const { theta: before } = step.init({ seed: 5 });
  expect(Array.from(before)).toEqual(theta);
  await step.release();
});

it("measures λ₁ of the Hessian 2AᵀA/n, and takes the step of Eigen-SAM with its v", async () => {
  const method = { name: "eigen-sam", rho: 0.3, alpha: 0.5, solver: "lanczos", iterations: 4 } as const;
  const step = await compileStep({ ...base, method });
  const state = step.init({ seed: 5 });
  expect(step.refreshDue(state)).toBe(true);
  expect(step.measured).toBeUndefined();
  await step.refresh(state, batch);
  expect(step.measured?.eigenvalue).toBeCloseTo(largest, 4);
  const v = Array.from(state.v);
  const product = H.mmul(Matrix.columnVector(v)).to1DArray();
  expect(relativeError(product, scaled(v, largest))).toBeLessThan(1e-4);

  const theta = Array.from(state.theta);
  const { metrics } = await step.run(state, batch, { lr: 0.1 });
  const g = gradient(theta);
  const u = scaled(g, 1 / normOf(g));
  const rejected = plus(v, -dotOf(v, u), u);
  const epsilon = scaled(plus(u, 0.5 * Math.sign(dotOf(g, v)), rejected), 0.3);
  expect(relativeError(state.theta, plus(theta, -0.1, gradient(plus(theta, 1, epsilon))))).toBeLessThan(1e-5);
  expect(metrics.cosGradV).toBeCloseTo(Math.abs(dotOf(u, v)), 5);
  expect(step.refreshDue(state)).toBe(false);
  await step.release();
});

it("reads the method's numbers anew in every step", async () => {
  const step = await compileStep({ ...base, method: { name: "sam", rho: 0.3 } });
  const state = step.init();
  const theta = Array.from(state.theta);
  await step.run(state, batch, { lr: 0.1, hyper: { rho: 0 } });
  expect(relativeError(state.theta, plus(theta, -0.1, gradient(theta)))).toBeLessThan(1e-5);
  await step.release();
});

it("counts the correct answers where there are labels, and asks for their number", async () => {
  const network: Network = (scope, images) => linear(scope.at("out"), images, 2);
  const options = { network, inputs: { x: [4, 1], y: [4] }, method: "sgd", optimizer: plain, threads: 1 } as const;
  const step = await compileStep({ ...options, classes: 2 });
  const examples = { x: Float32Array.of(-2, -1, 1, 2), y: Int32Array.of(0, 0, 1, 1) };
  const state = step.init();
  for (let t = 0; t < 100; t++) await step.run(state, examples, { lr: 0.5 });
  const { metrics } = await step.run(state, examples, { lr: 0 });
  expect(metrics.accuracy).toBe(1);
  await step.release();
  await expect(compileStep(options)).rejects.toThrow("targets are labels, and classes is not given");
  const column = { ...options, classes: 2, inputs: { x: [4, 1], y: [4, 1] } };
  await expect(compileStep(column)).rejects.toThrow(
    "the network gives [4, 2] for 4 examples, but the labels [4, 1] have 2 classes",
  );
});

it("takes mse for y of two axes where no loss is given, and as many targets as examples", async () => {
  const { loss: _, ...rest } = { ...base, method: "sgd" as const };
  const step = await compileStep(rest);
  const { metrics } = await step.run(step.init({ seed: 5 }), batch, { lr: 0 });
  const { theta } = step.init({ seed: 5 });
  const errors = Matrix.sub(A.mmul(Matrix.columnVector(Array.from(theta))), new Matrix(y));
  expect(metrics.loss).toBeCloseTo(errors.dot(errors) / rows, 5);
  await step.release();
  await expect(compileStep({ ...rest, inputs: { x: [4, 3], y: [3, 1] } })).rejects.toThrow("x [4, 3] and y [3, 1]");
});
