import { describe, expect, it } from "vitest";
import { constant, input } from "../src/graph/ops/source.ts";
import { pack, type Declaration } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { linear } from "../src/nn/layers.ts";
import { assertHyper, fraction, radius, real } from "../src/optim/hyper.ts";
import { defineMethod, maskOf, zeros } from "../src/optim/method.ts";
import { defineMetric, infoOf } from "../src/optim/metrics/metric.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { type ScheduleArgs, scheduleFactor } from "../src/optim/schedules.ts";
import { trainingStep } from "../src/optim/training-step.ts";
import { cosine, mix, norm, reject, unit } from "../src/optim/vector.ts";
import { dot, grad } from "../src/graph/grad.ts";
import type { Operand, Tensor } from "../src/graph/tensor.ts";
import { seriesSum } from "../src/optim/series.ts";
import { mul } from "../src/graph/ops/elementwise.ts";
import { ConfigError, DeclarationError } from "../src/util/errors.ts";
import { evaluate } from "./support/reference.ts";

const texts = { title: "", summary: "" };
const [x, y] = [input("x", [3], "f64"), input("y", [3], "f64")];
const ofXY = (tensor: ReturnType<typeof norm>, xs: readonly number[], ys: readonly number[] = [0, 0, 0]) =>
  [...evaluate([tensor], { x: xs, y: ys })[0]!].map((value) => Number(value.toFixed(12)));

describe("vectors", () => {
  it("have length, direction, the part across another, and a running mean", () => {
    expect(ofXY(norm(x), [2, 3, 6])).toEqual([7]);
    expect(ofXY(unit(x), [0, 3, 4])).toEqual([0, 0.6, 0.8]);
    expect(ofXY(reject(x, y), [1, 2, 3], [0, 1, 0])).toEqual([1, 0, 3]);
    expect(ofXY(mix(x, y, 0.75), [4, 0, 8], [0, 4, 8])).toEqual([3, 1, 8]);
    expect(ofXY(cosine(x, y), [3, 4, 0], [-2, 0, 0])).toEqual([0.6]);
  });

  it("of zero length have no direction, and no cosine", () => {
    expect(ofXY(unit(x), [0, 0, 0])).toEqual([0, 0, 0]);
    expect(ofXY(cosine(x, y), [0, 0, 0], [1, 0, 0])).toEqual([0]);
  });
});

describe("a hyperparameter", () => {
  it("has a default and limits", () => {
    expect(real(2, "about")).toEqual({ default: 2, about: "about" });
    expect(radius()).toEqual({ default: 0.05, about: "perturbation radius ρ", min: 0, symbol: "ρ" });
    expect(radius(0.3).below).toBeUndefined();
    expect(fraction(0.9, "about")).toEqual({ default: 0.9, about: "about", min: 0, below: 1 });
  });

  it.each([
    [fraction(0.5, "a"), [0, 0.5, 0.999], [-1e-9, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, "0.5", undefined]],
    [radius(), [0, 1e9], [-1, Number.POSITIVE_INFINITY]],
    [real(0, "a"), [-1e9, 0, 1e9], [Number.NEGATIVE_INFINITY, null, true]],
  ])("takes values within its limits alone", (hyper, taken, refused) => {
    for (const value of taken) expect(() => assertHyper("k", hyper, value)).not.toThrow();
    for (const value of refused) expect(() => assertHyper("k", hyper, value), String(value)).toThrow(ConfigError);
  });

  it("says which values it takes", () => {
    expect(() => assertHyper("method.mu", fraction(0.5, "a"), 1)).toThrow(
      "method.mu is 1, expected a number at least 0 and below 1",
    );
    expect(() => assertHyper("method.mu", real(0, "a"), "x")).toThrow(/expected a number\n/);
  });
});

describe("the declaration of a method", () => {
  const g = constant([1, 2] as never, [2], "f64");
  const at = { f: () => g, theta: g, g, v: g, mask: g, step: g };
  const named = (name: string, keys: readonly string[], state: readonly string[] = []) =>
    defineMethod({
      name,
      ...texts,
      hyper: Object.fromEntries(keys.map((key) => [key, real(1, "")])),
      state: Object.fromEntries(state.map((key) => [key, zeros] as const)),
      ascent: ({ g }) => g,
    });

  it.each([
    ["f theta g v mask noise moved step direction epsilon ahead", "is reserved"],
    [
      "name use solver every iterations follow hessianBn warmup compat rhoWarmup from align trust batches",
      "is reserved",
    ],
    ["1a a-b ä a_b", "is no identifier"],
  ])("refuses the names %s", (names, why) => {
    for (const name of names.split(" ")) {
      expect(() => named("own", [name])).toThrow(`method own: the name ${name} ${why}`);
      expect(() => named("own", [], [name])).toThrow(DeclarationError);
    }
  });

  it("refuses a name that stands twice, and takes others", () => {
    expect(() => named("own", ["a"], ["a"])).toThrow("the name a stands twice");
    expect(Object.keys(named("own", ["a", "A1"], ["b"]).hyper)).toEqual(["a", "A1"]);
  });

  it.each(["Own", "1own", "own!", "-own", "ow n", ""])("refuses the method name %j", (name) => {
    expect(() => named(name, [])).toThrow(`method name "${name}", expected lower case with dashes`);
  });

  it("keeps what is given, and nothing that is not", () => {
    const own = named("own-2", []);
    expect(own).toMatchObject({ kind: "method", name: "own-2", hyper: {}, state: {}, needs: {} });
    expect("source" in own || "colour" in own).toBe(false);
    const told = defineMethod({
      name: "own",
      ...texts,
      source: "s",
      colour: "#123456",
      needs: { v: true },
      ascent: () => g,
    });
    expect(told).toMatchObject({ source: "s", colour: "#123456", needs: { v: true } });
  });

  it("with a function of its own gives ε only where it returns one, and all of its state", () => {
    const own = (epsilon: boolean) =>
      defineMethod({
        name: "own",
        ...texts,
        hyper: { rho: radius() },
        state: { m: zeros },
        descend: ({ g, m, rho }) => ({ direction: mul(rho, g), m: mul(2, m), ...(epsilon ? { epsilon: g } : {}) }),
      });
    const without = own(false).descend(at, { rho: 3, m: g });
    expect("epsilon" in without).toBe(false);
    expect(Object.keys(without.state)).toEqual(["m"]);
    expect([...evaluate([without.direction, without.state.m!], {})].map((each) => [...each])).toEqual([
      [3, 6],
      [2, 4],
    ]);
    expect(own(true).descend(at, { rho: 3, m: g }).epsilon).toBe(g);
    expect(own(true).series).toBeUndefined();
  });

  it("marks the parameters that count", () => {
    const { parameters } = declare((scope, x) => linear(scope.at("out"), x, 2), [1, 3]);
    const mask = maskOf(({ name }: Declaration) => name === "out.bias", parameters);
    const bias = pack(
      parameters,
      { "out.weight": new Float64Array(6), "out.bias": Float64Array.of(1, 1) },
      new Float64Array(8),
    );
    expect([...mask]).toEqual([...bias]);
  });
});

/** f = Σ cᵢxᵢ³/6: g = cx²/2, Hw = c·x·w, T[w,w] = c·w². */
const cubicAt = (c: readonly number[]) => {
  const coefficients = constant(Float64Array.from(c), [3], "f64");
  return (t: Tensor) => mul(1 / 6, dot(coefficients, mul(t, mul(t, t))));
};

describe("a method in each of its forms", () => {
  const c = [1, 2, 4];
  const f = cubicAt(c);
  const theta = [1, -2, 3];
  const w = [0.5, 1, -1];
  const at = { f, theta: x, g: grad(f(x), x), v: y, mask: y, step: constant(0, [], "f64") };
  const gradient = (t: readonly number[]) => t.map((value, i) => (c[i]! * value ** 2) / 2);
  const ascent = ({ v, rho }: { readonly v: Tensor; readonly rho: Operand }) => mul(rho, v);
  const numbers = (tensor: Tensor) => ofXY(tensor, theta, w);
  const rounded = (values: readonly number[]) => values.map((value) => Number(value.toFixed(12)));
  const hyper = { rho: radius(), scale: real(1, "") };

  it("a perturbation: the gradient at θ + ε, with ε, without state, and with Taylor's series", () => {
    const own = defineMethod({ name: "own", ...texts, hyper, ascent });
    const { direction, epsilon, state } = own.descend(at, { rho: 0.5, scale: 1 });
    expect(numbers(epsilon!)).toEqual([0.25, 0.5, -0.5]);
    expect(numbers(direction)).toEqual(rounded(gradient(theta.map((value, i) => value + 0.5 * w[i]!))));
    expect(state).toEqual({});
    expect(own.series!.factors).toEqual([1, 1]);
    expect(numbers(own.series!.ascent(at, { rho: 2, scale: 1 }))).toEqual([1, 2, -2]);
  });

  it.each([
    [[1, 1], 1, 1],
    [[1, 0], 1, 0],
    [[0, 1], 0, 1],
    [[0, 0], 0, 0],
  ] as const)("a series with the factors %j: those terms alone, and no ε", (factors, a, b) => {
    const scaled = ({ v, rho, scale }: { readonly v: Tensor; readonly rho: Operand; readonly scale: Operand }) =>
      mul(scale, mul(rho, v));
    const own = defineMethod({ name: "own", ...texts, hyper, series: { ascent: scaled, factors } });
    const u = w.map((value) => 3 * value);
    const direction = (rho: number, order: number) =>
      gradient(theta).map(
        (g, i) =>
          g +
          (order > 0 ? a * rho * c[i]! * theta[i]! * u[i]! : 0) +
          (order > 1 ? ((b * rho ** 2) / 2) * c[i]! * u[i]! ** 2 : 0),
      );
    const made = own.descend(at, { rho: 0.5, scale: 3 });
    expect([numbers(made.direction), made.epsilon, made.state]).toEqual([rounded(direction(0.5, 2)), undefined, {}]);
    for (const rho of [0.5, constant(0.5, [], "f64")])
      for (const order of [0, 1, 2] as const)
        expect(numbers(seriesSum(own.series!, order, at, { rho, scale: 3 }))).toEqual(rounded(direction(0.5, order)));
    expect(numbers(seriesSum(own.series!, 2, at, { scale: 3 }))).toEqual(rounded(gradient(theta)));
  });

  it("a function that forgets a state vector is refused", () => {
    // @ts-expect-error the types say so as well
    const own = defineMethod({ name: "own", ...texts, state: { m: zeros }, descend: ({ g }) => ({ direction: g }) });
    expect(() => own.descend(at, {})).toThrow("method own: descend returns no m");
  });

  it("a function without ε has no secant that v could follow", () => {
    const settings = { momentum: 0, nesterov: false, weightDecay: 0, beta1: 0, beta2: 0, eps: 0 };
    const own = defineMethod({ name: "own", ...texts, descend: ({ g }) => ({ direction: g }) });
    const rest = { optimizer: optimizers.sgd, slots: { momentum_buffer: y }, scalars: {}, settings, lr: 1, values: {} };
    expect(() => trainingStep({ f, theta: x, v: y, method: own, follow: 0.1, ...rest })).toThrow(DeclarationError);
    expect(trainingStep({ f, theta: x, v: y, method: own, follow: 0, ...rest }).v).toBeUndefined();
  });
});

describe("a step metric", () => {
  const of = () => undefined;
  it.each(["kind", "step", "epoch", "lr", "loss", "correct", "accuracy"])("cannot be called %s", (name) => {
    expect(() => defineMetric({ name, title: "", symbol: "", about: "", of })).toThrow("the name is reserved");
  });
  it.each(["1a", "a b", "a-b", "", "a.b"])("cannot be called %j", (name) => {
    expect(() => defineMetric({ name, title: "", symbol: "", about: "", of })).toThrow("the name is no identifier");
  });

  it("leaves in run.json what it declares, and no more", () => {
    const plain = { name: "m1", title: "t", symbol: "s", about: "a" };
    expect(defineMetric({ ...plain, of }).kind).toBe("metric");
    expect(infoOf(defineMetric({ ...plain, eigenvector: true, of }))).toEqual(plain);
    const figure = { title: "", shows: "", needs: "" };
    const full = { ...plain, id: "i", figure, table: "mean", progress: true } as const;
    expect(infoOf(defineMetric({ ...full, of }))).toEqual(full);
  });

  it("is left out of a step where it has no number", () => {
    const settings = { momentum: 0, nesterov: false, weightDecay: 0, beta1: 0, beta2: 0, eps: 0 };
    const seen = defineMetric({
      name: "seen",
      title: "",
      symbol: "",
      about: "",
      of: ({ mask, step }) => dot(mask, mul(step, mask)),
    });
    const none = defineMetric({ name: "none", title: "", symbol: "", about: "", of });
    const common = {
      f: () => dot(x, x),
      theta: x,
      v: y,
      method: trainingMethods.sgd,
      values: {},
      settings,
      scalars: {},
    };
    const rest = { optimizer: optimizers.sgd, slots: { momentum_buffer: y }, lr: 1, metrics: [seen, none] };
    const { metrics, v } = trainingStep({ ...common, ...rest });
    expect(Object.keys(metrics)).toEqual(["seen"]);
    expect(v).toBeUndefined();
    // Left out, the mask is all ones and the step 0; given, they are seen as they are.
    expect(ofXY(metrics.seen!, [1, 1, 1])).toEqual([0]);
    const given = trainingStep({ ...common, ...rest, step: constant(5, [], "f64") });
    expect(ofXY(given.metrics.seen!, [1, 1, 1])).toEqual([15]);
    const masked = trainingStep({ ...common, ...rest, step: constant(5, [], "f64"), mask: y });
    expect(ofXY(masked.metrics.seen!, [1, 1, 1], [2, 0, 1])).toEqual([25]);
  });
});

describe("the learning rate", () => {
  const base: ScheduleArgs = { step: 0, stepsPerEpoch: 10, epochs: 4, warmup: 0, milestones: [], gamma: 0.1 };
  it.each([
    [{ warmup: 1, step: 0 }, 0.1],
    [{ warmup: 1, step: 9 }, 1],
    [{ warmup: 0.26, step: 1 }, 2 / 3],
    [{ warmup: 9, step: 39 }, 1],
    [{ warmup: 4, step: 40 }, 1],
    [{ warmup: 9, step: 40 }, 1],
  ])("grows through the warm-up: %j", (args, factor) => {
    expect(scheduleFactor("cosine", { ...base, ...args })).toBeCloseTo(factor, 12);
  });
});
