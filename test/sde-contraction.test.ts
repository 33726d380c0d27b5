import { describe, expect, it } from "vitest";
import { grad, hessianVectorProduct, thirdOrderContraction } from "../src/graph/grad.ts";
import { sub } from "../src/graph/ops/elementwise.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { compile } from "../src/runtime/compile.ts";
import type { TypedArray } from "../src/runtime/session.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { seriesSum } from "../src/optim/series.ts";
import { sdeVariants } from "../src/sde/variants.ts";
import { networks, problem } from "./support/models.ts";
import { along, dotOf, normOf, relativeError, vector } from "./support/numbers.ts";
import { D, N, point, quartic, thirdOf, whole } from "./support/quartic.ts";
import { inputsOf, runOn } from "./support/run.ts";
import { jvp, slope } from "./support/sde.ts";
import * as tolerances from "./tolerances.ts";

const { DIFFERENCE, DIFFERENCE_STEP: STEP, F64, SECOND_DIFFERENCE, SECOND_DIFFERENCE_STEP, SLOPE } = tolerances;

type Vector = ArrayLike<number>;
const normalized = (x: Vector) => Float64Array.from(x, (value) => value / normOf(x));

/** A network in small, cross-entropy, float64: its loss, and what it reads. */
function smooth(name: "mlp" | "smooth-cnn" | "vit") {
  const { inputShape } = networks[name]!;
  const { theta, lossAt, size } = problem(networks[name]!, "f64");
  const rows = inputShape[0]!;
  const feeds = {
    theta: vector("theta", [size]),
    buffers: [0],
    x: vector("x", inputShape),
    labels: Int32Array.from({ length: rows }, (_, i) => i % 3),
  };
  return { theta, lossAt, size, feeds };
}

/** The network of section 3. */
const { theta, lossAt, size, feeds } = smooth("mlp");
const u = input("u", [size], "f64");
const g = grad(lossAt(theta), theta);
const [mask, step] = [constant(1, [size], "f64"), constant(0, [], "f64")];

describe("T[u,u] of networks without kinks, by three routes", () => {
  it.each(["mlp", "smooth-cnn", "vit"] as const)(
    "is the same by autodiff, by two nested Jacobian-vector products and by a second difference of gradients: %s",
    async (name) => {
      const { theta, lossAt, size, feeds } = smooth(name);
      const u = input("u", [size], "f64");
      const direction = normalized(vector("u", [size]));
      const g = grad(lossAt(theta), theta);
      const [mask, step] = [constant(1, [size], "f64"), constant(0, [], "f64")];
      const along2 = jvp(jvp(g, theta, u), theta, u);
      const routes = {
        autodiff: thirdOrderContraction(lossAt(theta), theta, u),
        along2,
        terms: sub(
          seriesSum({ ascent: () => u, factors: [0, 1] }, 2, { theta, g, v: theta, mask, step }, { rho: Math.SQRT2 }),
          g,
        ),
      };
      const T = await runOn(routes, { ...feeds, u: direction });
      expect(relativeError(T.along2, T.autodiff)).toBeLessThan(F64);
      expect(relativeError(T.terms, T.autodiff)).toBeLessThan(F64);

      const at = async (t: number) => (await runOn({ g }, { ...feeds, theta: along(feeds.theta, direction, t) })).g;
      const e = SECOND_DIFFERENCE_STEP;
      const [before, here, after] = [await at(-e), await at(0), await at(e)];
      const difference = Float64Array.from(here, (value, i) => (before[i]! - 2 * value + after[i]!) / e ** 2);
      expect(relativeError(difference, T.autodiff)).toBeLessThan(SECOND_DIFFERENCE);
    },
  );

  it("makes the drift of third order right to ρ³ where every derivative is at work", async () => {
    const rho = input("rho", [], "f64");
    const at = { f: lossAt, theta, g, v: theta, mask, step };
    const radii = [0.2, 0.1, 0.05, 0.025];
    const drift = (name: keyof typeof sdeVariants) => sdeVariants[name].drift(trainingMethods.sam, at, { rho });
    const outputs = { second: drift("second"), third: drift("third"), exact: drift("exact") };
    const results = await Promise.all(radii.map((radius) => runOn(outputs, { ...feeds, rho: [radius] })));
    const errors = (name: "second" | "third") => results.map((h) => normOf(along(h[name], h.exact, -1)));
    expect(Math.abs(slope(radii, errors("second")) - 2)).toBeLessThan(SLOPE);
    expect(Math.abs(slope(radii, errors("third")) - 3)).toBeLessThan(SLOPE);
  });
});

type Product = (at: Vector, v: Vector) => Promise<Float64Array>;

/** H(θ)·v of a function of θ and of what `constants` feeds. */
async function hessianOf(f: (theta: Tensor) => Tensor, length: number, constants: Record<string, TypedArray>) {
  const at = input("at", [length], "f64");
  const v = input("v", [length], "f64");
  const Hv = hessianVectorProduct(f(at), at, v);
  const spec = Object.fromEntries(inputsOf([Hv]).map(({ name, shape, dtype }) => [name, { shape, dtype }]));
  const executable = await compile(() => ({ Hv }), spec, { threads: 1 });
  const product: Product = async (x, u) => {
    const inputs = { ...constants, at: Float64Array.from(x), v: Float64Array.from(u) };
    return Float64Array.from((await executable.run(inputs)).Hv);
  };
  return product;
}

/** λ₁ and v₁ at a point by the power iteration on H + shift·I, to the last digits. */
async function topOf(product: Product, at: Vector, shift: number) {
  let v = normalized(vector("v", [at.length]));
  for (let i = 0; i < 400; i++) v = normalized(along(await product(at, v), v, shift));
  return { lambda: dotOf(v, await product(at, v)), v };
}

/** The derivative of λ₁ along a direction by a central difference. */
async function rise(product: Product, at: Vector, axis: Vector, shift: number) {
  const above = await topOf(product, along(at, axis, STEP), shift);
  const below = await topOf(product, along(at, axis, -STEP), shift);
  return (above.lambda - below.lambda) / (2 * STEP);
}

describe("T[v₁,v₁] = ∇λ₁ by finite differences of the eigenvalue", () => {
  it("on functions whose third derivatives are known", async () => {
    const weights = input("weights", [N], "f64");
    const product = await hessianOf((x) => quartic(weights, x), D, { weights: whole });
    const { v } = await topOf(product, point, 10);
    const slopes: number[] = [];
    for (let i = 0; i < D; i++) {
      const axis = Float64Array.from({ length: D }, (_, j) => Number(i === j));
      slopes.push(await rise(product, point, axis, 10));
    }
    expect(relativeError(thirdOf(whole, point, v), slopes)).toBeLessThan(DIFFERENCE);
  });

  it("on a tanh network, along three directions", async () => {
    const { theta: at, ...rest } = feeds;
    const constants = { x: Float64Array.from(rest.x), labels: rest.labels };
    const product = await hessianOf(lossAt, size, constants);
    const { v } = await topOf(product, at, 0.1);
    const { T } = await runOn({ T: thirdOrderContraction(lossAt(theta), theta, u) }, { ...feeds, u: v });
    for (const label of ["a", "b", "c"]) {
      const axis = normalized(vector(label, [size]));
      const difference = await rise(product, at, axis, 0.1);
      expect(Math.abs(dotOf(T, axis) - difference)).toBeLessThan(DIFFERENCE * normOf(T));
    }
  });
});
