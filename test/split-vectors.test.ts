import { describe, expect, it } from "vitest";
import { grad, hessianVectorProduct } from "../src/graph/grad.ts";
import { reshape } from "../src/graph/ops/reshape.ts";
import { slice } from "../src/graph/ops/arrange.ts";
import { add, mul, tanh } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { mean } from "../src/nn/functions.ts";
import type { Loss } from "../src/optim/point.ts";
import { eigenSamStep, sgdStep } from "./support/steps.ts";
import { splitVectors } from "../src/onnx/plan/split.ts";
import { compile } from "../src/runtime/compile.ts";
import { input } from "../src/graph/ops/source.ts";
import { relativeError, vector } from "./support/numbers.ts";
import { F64 } from "./tolerances.ts";

/** Two layers with vectors between them, long enough to be split: [0, 1_024_000), the two small ones together, the rest. */
const [features, hidden, out] = [1024, 1000, 64];
const n = features * hidden + 2 * hidden + hidden * out;
const spec = {
  theta: { shape: [n], dtype: "f64" },
  momentum: { shape: [n], dtype: "f64" },
  v: { shape: [n], dtype: "f64" },
  x: { shape: [4, features], dtype: "f64" },
} as const;

const lossOn =
  (x: Tensor): Loss =>
  (theta) => {
    let at = 0;
    const next = (...shape: number[]) => {
      const from = at;
      at += shape.reduce((a, b) => a * b, 1);
      return reshape(slice(theta, 0, from, at), shape);
    };
    const [w, b, s, u] = [next(features, hidden), next(hidden), next(hidden), next(hidden, out)];
    const y = matmul(mul(tanh(add(matmul(x, w), b)), s), u);
    return mean(mul(y, y));
  };

const arrays = () => ({
  theta: vector("theta", [n]).map((value) => value / 30),
  momentum: vector("momentum", [n]).map((value) => value / 1000),
  v: vector("v", [n]).map((value) => value / Math.sqrt(n)),
  x: vector("x", [4, features]),
});
const hyper = { lr: 0.1, mu: 0.9, weightDecay: 0.01, rho: 0.1, alpha: 0.2 };
type Inputs = { readonly [K in keyof typeof spec]: Tensor };

const steps: Readonly<Record<string, (inputs: Inputs) => ReturnType<typeof sgdStep>>> = {
  SGD: ({ x, ...state }) => sgdStep(lossOn(x), state, hyper),
  "Eigen-SAM": ({ x, v, ...state }) => eigenSamStep(lossOn(x), state, v, hyper),
};

describe("long vectors in parts give what whole ones give", () => {
  const options = { threads: 2, inPlace: { theta: "nextTheta", momentum: "nextMomentum" } };

  it.each(Object.entries(steps))("in a step of %s written over its state", async (_, step) => {
    const outputs = (inputs: Inputs) => {
      const { loss, theta, momentum, gradNorm } = step(inputs);
      return { loss, gradNorm, nextTheta: theta, nextMomentum: momentum };
    };
    const [whole, cut] = [arrays(), arrays()];
    const expected = await (await compile(outputs, spec, { ...options, splitVectors: false })).run(whole);
    const results = await (await compile(outputs, spec, { ...options, splitVectors: true })).run(cut);
    expect(results.nextTheta).toBe(cut.theta);
    expect(relativeError(cut.theta, arrays().theta)).toBeGreaterThan(1e-6);
    for (const name of ["loss", "gradNorm", "nextTheta", "nextMomentum"] as const)
      expect(relativeError(results[name], expected[name]), name).toBeLessThan(F64);
  });

  it("in a gradient, a Hessian-vector product and arithmetic on them", async () => {
    const outputs = ({ theta, v, x }: Inputs) => {
      const loss = lossOn(x)(theta);
      const Hv = hessianVectorProduct(loss, theta, v);
      return {
        g: grad(loss, theta),
        Hv,
        rayleigh: sum(mul(v, Hv)),
        shifted: add(theta, mul(Hv, 2)),
        across: slice(add(Hv, theta), 0, features * hidden - 5, n - 7),
        theta2: theta,
      };
    };
    const expected = await (await compile(outputs, spec, { splitVectors: false })).run(arrays());
    const results = await (await compile(outputs, spec, { splitVectors: true })).run(arrays());
    for (const name of ["g", "Hv", "rayleigh", "shifted", "across", "theta2"] as const)
      expect(relativeError(results[name], expected[name]), name).toBeLessThan(F64);
  });
});

describe("a vector is split", () => {
  const theta = input("theta", [n]);
  const v = input("v", [n]);
  const loss = lossOn(input("x", [4, features]))(theta);
  const g = grad(loss, theta);
  const layers = [
    { start: 0, end: features * hidden },
    { start: features * hidden, end: features * hidden + 2 * hidden },
    { start: features * hidden + 2 * hidden, end: n },
  ];

  it("at its parameters, small neighbours together", () => {
    expect(splitVectors([{ name: "g", tensor: g }]).splits).toEqual(
      new Map([
        ["theta", layers],
        ["g", layers],
      ]),
    );
  });

  it("not where an output must stay whole, nor an input that something reads whole", () => {
    const outputs = [
      { name: "g", tensor: g },
      { name: "row", tensor: matmul(reshape(v, [1, n]), reshape(v, [n, 1])) },
    ];
    const { splits, outputs: kept } = splitVectors(outputs, new Set(["g"]));
    expect([...splits.keys()]).toEqual(["theta"]);
    expect(kept.map(({ name }) => name)).toEqual(["g", "row"]);
  });

  it("but not a short one", () => {
    const short = input("short", [10]);
    const tensor = add(slice(short, 0, 0, 5), slice(short, 0, 5, 10));
    expect(splitVectors([{ name: "y", tensor }]).splits.size).toBe(0);
  });
});

it("an array of the wrong length, or none, is named as the caller knows it", async () => {
  const f = await compile(({ theta, x }: Inputs) => ({ g: grad(lossOn(x)(theta), theta) }), spec, { threads: 1 });
  const { theta, ...others } = arrays();
  await expect(async () => f.run({ ...others, theta: theta.subarray(1) })).rejects.toThrow(
    `theta: ${n - 1} numbers, expected ${n}`,
  );
  await expect(async () => f.run(others as never)).rejects.toThrow("theta: missing");
});
