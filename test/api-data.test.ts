import { EigenvalueDecomposition, Matrix, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { abs, linear, mean, type Network, reshape, sub } from "../src/index.ts";
import { compileStep, type Examples, train, type TrainOptions } from "../src/node.ts";
import { relativeError } from "./support/numbers.ts";
import { coefficients, oneLinear, plain, predicted, regressionData } from "./support/linear.ts";

const { x, y } = regressionData(40, 3);
const base = {
  model: oneLinear,
  method: "sgd",
  schedule: "constant",
  optimizer: { name: "sgd", lr: 0.1, weightDecay: 0 },
  threads: 1,
} as const satisfies Partial<TrainOptions>;

describe("a regression on arrays", () => {
  it("reaches the least-squares solution", async () => {
    const trained = await train({ ...base, data: { train: { x, y } }, epochs: 300, batch: 40 }).done;
    const design = new Matrix(x.map((row) => [...row, 1]));
    const exact = solve(design.transpose().mmul(design), design.transpose().mmul(new Matrix(y))).to1DArray();
    // float32 at the minimum: 6e-8 per number, grown by the condition of XᵀX (about 2).
    expect(relativeError(coefficients(trained), exact)).toBeLessThan(1e-6);
  });

  it("has the curvature 2XᵀX/n of its rows, the short last mini-batch included", async () => {
    const { done } = train({ ...base, data: { train: { x, y } }, epochs: 1, batch: 16 });
    const trained = await done;
    const X = (some: typeof x) => new Matrix(some.map((row) => [...row, 1]));
    const exact = (some: typeof x) =>
      new EigenvalueDecomposition(
        X(some)
          .transpose()
          .mmul(X(some))
          .mul(2 / some.length),
        { assumeSymmetric: true },
      ).realEigenvalues
        .sort((a, b) => b - a)
        .slice(0, 2);
    const measured = await trained.curvature({ top: 2, tolerance: 1e-6, dtype: "f64" });
    expect(measured.n).toBe(40);
    expect(relativeError(measured.eigenvalues, exact(x))).toBeLessThan(1e-6);
    const examples = { x: x.slice(0, 20), y: y.slice(0, 20) };
    const { eigenvalues } = await trained.curvature({ top: 2, tolerance: 1e-6, dtype: "f64", examples });
    expect(relativeError(eigenvalues, exact(x.slice(0, 20)))).toBeLessThan(1e-6);
  });

  const flat = { data: Float64Array.from(x.flat()), shape: [40, 3] };
  const forms: [string, Examples][] = [
    ["Float64Array with shape", { x: flat, y: { data: Float64Array.from(y.flat()), shape: [40, 1] } }],
    ["Float32Array with shape", { x: { ...flat, data: Float32Array.from(flat.data) }, y }],
  ];
  it.each(forms)("trains the same on a %s as on nested arrays", async (_, examples) => {
    const weights = async (given: Examples) =>
      (await train({ ...base, data: { train: given }, epochs: 2, batch: 8 }).done).weights();
    expect(await weights(examples)).toEqual(await weights({ x, y }));
  });

  it("leaves the caller's arrays alone", async () => {
    const before = structuredClone({ x, y });
    await train({ ...base, data: { train: { x, y } }, epochs: 1, batch: 8 }).done;
    expect({ x, y }).toEqual(before);
  });
});

describe("losses by hand", () => {
  const rows = [[1], [-2], [0.5]];
  const targets = [[1], [0], [1]];
  const batch = { x: Float32Array.from(rows.flat()), y: Float32Array.from(targets.flat()) };
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  const cases = {
    mse: { loss: (z: number, t: number) => (z - t) ** 2, slope: (z: number, t: number) => 2 * (z - t) },
    "binary-cross-entropy": {
      loss: (z: number, t: number) => -(t * Math.log(sigmoid(z)) + (1 - t) * Math.log(1 - sigmoid(z))),
      slope: (z: number, t: number) => sigmoid(z) - t,
    },
  } as const;
  it.each(["mse", "binary-cross-entropy"] as const)("%s has the value and gradient of its formula", async (name) => {
    const inputs = { x: [3, 1], y: [3, 1] };
    const step = await compileStep({
      network: oneLinear,
      inputs,
      loss: name,
      method: "sgd",
      optimizer: plain,
      threads: 1,
    });
    const state = step.init({ seed: 4 });
    const before = Array.from(state.theta);
    const { metrics } = await step.run(state, batch, { lr: 1 });
    const gradient = before.map((value, i) => value - (state.theta[i] ?? 0));
    const each = rows.map((row, i) => ({ row, z: predicted(row, before), t: targets[i]?.[0] ?? 0 }));
    const average = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
    const { loss, slope } = cases[name];
    expect(metrics.loss).toBeCloseTo(average(each.map(({ z, t }) => loss(z, t))), 6);
    const exact = [
      average(each.map(({ row, z, t }) => slope(z, t) * (row[0] ?? 0))),
      average(each.map(({ z, t }) => slope(z, t))),
    ];
    expect(relativeError(gradient, exact)).toBeLessThan(1e-6);
    expect(metrics.gradNorm).toBeCloseTo(Math.hypot(...exact), 5);
    await step.release();
  });
});

describe("evaluate", () => {
  const examples = { x: x.slice(0, 10), y: y.slice(0, 10) };
  const losses = {
    "a built-in loss": { loss: "mse", each: (error: number) => error ** 2 },
    "a loss of the caller's": {
      loss: (output: Parameters<typeof sub>[0], target: Parameters<typeof sub>[1]) => mean(abs(sub(output, target))),
      each: (error: number) => Math.abs(error),
    },
  } as const;
  it.each(Object.entries(losses))(
    "counts every example of a short last batch once with %s",
    async (_, { loss, each }) => {
      const trained = await train({ ...base, loss, data: { train: { x, y } }, epochs: 1, batch: 4 }).done;
      const wb = coefficients(trained);
      const byHand = examples.x.map((row, i) => each(predicted(row, wb) - (examples.y[i]?.[0] ?? 0)));
      const score = await trained.evaluate({ x: examples.x.slice(0, 9), y: examples.y.slice(0, 9) });
      expect(score.n).toBe(9);
      expect(score.loss).toBeCloseTo(byHand.slice(0, 9).reduce((a, b) => a + b) / 9, 5);
      const { data, shape } = await trained.predict(examples.x);
      expect(shape).toEqual([10, 1]);
      expect(
        relativeError(
          data,
          examples.x.map((row) => predicted(row, wb)),
        ),
      ).toBeLessThan(1e-6);
    },
  );
});

it("predicts in the shape of the targets", async () => {
  const shapeOf = async (model: Network, targets: Examples["y"]) => {
    const data = { train: { x: [[1], [2], [3]], y: targets } };
    const trained = await train({ ...base, model, data, epochs: 1, batch: 2 }).done;
    return (await trained.predict(data.train.x)).shape;
  };
  const square: Network = (scope, input) => reshape(linear(scope.at("out"), input, 4), [-1, 2, 2]);
  const y22 = Array.from({ length: 3 }, () => [
    [0, 1],
    [2, 3],
  ]);
  expect(await shapeOf(square, y22)).toEqual([3, 2, 2]);
  const flatOut: Network = (scope, input) => reshape(linear(scope.at("out"), input, 1), [-1]);
  expect(await shapeOf(flatOut, [0.5, 1.5, 2.5])).toEqual([3]);
});

describe("labels", () => {
  it("are integers from 0, and as many classes as the largest asks for", async () => {
    const data = { train: { x: [[-1], [1], [3]], y: [0, 1, 2] } };
    await expect(train({ data, model: "mlp", epochs: 1 }).done).rejects.toThrow(/labels or real values\?/);
    const model = { name: "mlp", width: 8 } as const;
    const options = {
      optimizer: { lr: 0.05, weightDecay: 0 },
      loss: "cross-entropy",
      method: "sgd",
      epochs: 300,
      batch: 3,
      threads: 1,
    } as const;
    const trained = await train({ data, model, ...options }).done;
    const { data: probabilities, shape } = await trained.predict([[-1], [1], [3]]);
    expect(shape).toEqual([3, 3]);
    for (let row = 0; row < 3; row++) expect(probabilities[4 * row]).toBeGreaterThan(0.9);
    expect((await trained.evaluate(data.train)).accuracy).toBe(1);
  });
});
