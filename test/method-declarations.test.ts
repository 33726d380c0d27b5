import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { constant } from "../src/graph/ops/source.ts";
import type { Declaration } from "../src/nn/layout.ts";
import type { TrainingMethodName } from "../src/optim/methods/index.ts";
import type { Method } from "../src/optim/method.ts";
import { evaluate } from "./support/reference.ts";

const rho = { default: 0.05, about: "perturbation radius ρ", min: 0, symbol: "ρ" };
const alpha = { default: 0.2, about: "alignment strength α", min: 0, symbol: "α" };

type Hypers = Readonly<Record<string, object>>;
type Perturbing = readonly [hyper: Hypers, factors: number[], ascent: number[]];
type Any = readonly [hyper: Hypers, state: Readonly<Record<string, string>>];

const symbolic = (symbol: string, value: number, about: string, limits: object = {}) => ({
  default: value,
  about,
  symbol,
  ...limits,
});
const zeroToOne = { min: 0, below: 1 };
const memory = (value: number) => symbolic("λ", value, "memory of the mean", zeroToOne);
const m = { m: "zeros" };

/** θ = (2, ½), g = (3, −4), v = (0, 1), ρ = 0.1, α = 0.2: ĝ = (0.6, −0.8), v⊥ = (0.48, 0.36), θg = (6, −2); the mask is (1, 0). */
const expected: Readonly<Record<TrainingMethodName, Perturbing | Any>> = {
  sgd: [{}, [0, 0], [0, 0]],
  sam: [{ rho }, [1, 1], [0.06, -0.08]],
  usam: [{ rho }, [1, 1], [0.3, -0.4]],
  asam: [{ rho: { ...rho, default: 0.5 } }, [1, 1], [1.2 / Math.sqrt(40), -0.1 / Math.sqrt(40)]],
  "reverse-sam": [{ rho }, [1, 1], [-0.06, 0.08]],
  egr: [{ rho }, [1, 0], [0.6, -0.8]],
  "third-order": [{ rho }, [0, 1], [0.6, -0.8]],
  "eigen-sam": [{ rho, alpha }, [1, 1], [0.0504, -0.0872]],
  "f-sam": [
    { rho, sigma: symbolic("σ", 1, "share of the mean m that is taken out", { min: 0 }), lambda: memory(0.9) },
    m,
  ],
  vasso: [{ rho, lambda: memory(0.1) }, m],
  gsam: [{ rho, alpha: symbolic("α", 0.4, "weight of the surrogate gap α", { min: 0 }) }, {}],
  msam: [{ rho: { ...rho, default: 0.3 }, mu: symbolic("μ", 0.9, "momentum μ of the method's own m", zeroToOne) }, m],
  "sam-on": [{ rho: { ...rho, default: 0.5 } }, [1, 1], [0.1, 0]],
  wsam: [
    {
      rho,
      gamma: symbolic("γ", 0.9, "γ of the weight γ/(1 − γ) of sharpness", zeroToOne),
      mu: symbolic("μ", 0.9, "momentum μ of the optimizer, kept away from sharpness; 0 lets it in", zeroToOne),
    },
    { r: "zeros" },
  ],
  // T = (2.5, 1) with η = ½: Tg = (7.5, −4), of length 8.5.
  "asam-eta": [
    { rho: { ...rho, default: 0.5 }, eta: symbolic("η", 0.01, "least scale η of a weight", { min: 0 }) },
    [1, 1],
    [1.875 / 8.5, -0.4 / 8.5],
  ],
  "cr-sam": [
    {
      rho: { ...rho, default: 0.1 },
      gamma: symbolic("γ", 0.1, "weight γ of the second difference"),
      beta: symbolic("β", 0.01, "weight β of the first difference"),
    },
    {},
  ],
  "look-sam": [
    {
      rho,
      alpha: symbolic("α", 0.7, "weight of the kept direction α", { min: 0 }),
      k: { default: 10, about: "steps from one step of SAM to the next, k", min: 1 },
    },
    { u: "zeros" },
  ],
  "ae-sam": [
    {
      rho,
      delta: symbolic("δ", 0.9, "memory of mean and variance", zeroToOne),
      lambda1: symbolic("λ₁", -1, "threshold c at step T"),
      lambda2: symbolic("λ₂", 1, "threshold c at the first step"),
      span: symbolic("T", 78200, "steps T over which c goes from λ₂ to λ₁: those of the run", { min: 1 }),
    },
    { mean: "zeros", variance: "zeros" },
  ],
  bsam: [
    {
      rho: { ...rho, default: 0.01 },
      beta1: symbolic("β₁", 0.9, "memory β₁ of the mean of gradients", zeroToOne),
      beta2: symbolic("β₂", 0.999, "memory β₂ of the precision", zeroToOne),
      examples: symbolic("N", 200000, "number of examples N; the noise has variance 1/(Ns)", { min: 1 }),
      delta: symbolic("δ", 5e-5, "weight decay δ: prior precision over N", { min: 0 }),
      damping: { default: 0.1, about: "added to the precision", min: 0 },
    },
    { m: "zeros", s: "zeros" },
  ],
  sampa: [
    {
      rho: { ...rho, default: 0.1 },
      lambda: symbolic("λ", 0.2, "weight λ of the gradient at y", zeroToOne),
    },
    { p: "zeros", h: "zeros" },
  ],
  xsam: [
    {
      rho: { ...rho, default: 0.15 },
      rhoMax: { ...rho, default: 0.3, about: "distance ρ_max at which losses are compared", symbol: "ρ_max" },
      k: { default: 400, about: "steps from one search of a to the next, k", min: 1 },
    },
    { a: "zeros" },
  ],
  esam: [
    {
      rho,
      beta: { default: 0.6, about: "probability β that a tensor is perturbed", min: 0.01, symbol: "β" },
      gamma: {
        ...{ default: 0.5, about: "share γ of the examples of the second gradient", min: 0, symbol: "γ", fixed: true },
      },
    },
    {},
  ],
};

/** Of these parameters, which ones a mask takes: a weight, its bias, the scale and the shift of a batch norm. */
const declared = [
  { name: "in.weight", shape: [2, 2], init: { fill: 0 }, role: "weight" },
  { name: "in.bias", shape: [2], init: { fill: 0 }, role: "bias" },
  { name: "downsample.1.weight", shape: [2], init: { fill: 1 } },
  { name: "downsample.1.bias", shape: [2], init: { fill: 0 } },
] as const satisfies readonly Declaration[];
const masks: Partial<Readonly<Record<TrainingMethodName, readonly boolean[]>>> = {
  "sam-on": [false, false, true, true],
  "asam-eta": [true, false, true, false],
};

const vector = (...values: number[]) => constant(Float64Array.from(values), [2], "f64");
const point = { theta: vector(2, 0.5), g: vector(3, -4), v: vector(0, 1), mask: vector(1, 0) };

it("the methods are declared as published", async () => {
  // Loaded here, so that a declaration that is refused fails the test.
  const { trainingMethods } = await import("../src/optim/methods/index.ts");
  expect(Object.keys(trainingMethods)).toEqual(Object.keys(expected));
  for (const [key, method] of Object.entries<Method>(trainingMethods)) {
    const [name, { kind, hyper, series }] = [key as TrainingMethodName, method];
    const [hypers, second, ascent] = expected[name];
    const { v, mask } = method.needs;
    expect([kind, method.name, hyper]).toEqual(["method", name, hypers]);
    expect([v, mask && declared.map(mask)], name).toEqual([name === "eigen-sam" || undefined, masks[name]]);
    expect(method.state, name).toEqual(ascent ? {} : second);
    expect(series?.factors, name).toEqual(ascent ? second : undefined);
    if (!ascent) continue;
    const perturbation = series!.ascent({ ...point, step: constant(0, [], "f64") }, { rho: 0.1, alpha: 0.2, eta: 0.5 });
    const [values] = evaluate([perturbation], {});
    expect([...values!], name).toEqual(ascent.map((x) => expect.closeTo(x, 14)));
  }
});

it("the guide's radii of the literature mark the default of every method that has one", () => {
  const guide = readFileSync(new URL("../docs/guide/methods.md", import.meta.url), "utf8");
  const marked = guide.split("\n").flatMap((line) => {
    const [, names = "", rho = ""] = line.split("|");
    const value = /([\d.]+)\*/.exec(rho)?.[1];
    return value === undefined ? [] : [...names.matchAll(/`([\w-]+)`/g)].map(([, name]) => [name!, Number(value)]);
  });
  const defaults = Object.entries(expected).flatMap(([name, [hyper]]) =>
    "rho" in hyper && name !== "eigen-sam" ? [[name, (hyper.rho as { readonly default: number }).default]] : [],
  );
  expect(Object.fromEntries(marked)).toEqual(Object.fromEntries(defaults));
});
