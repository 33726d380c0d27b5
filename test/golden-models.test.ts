import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { grad, gradientVectorProduct } from "../src/graph/grad.ts";
import { input } from "../src/graph/ops/source.ts";
import type { ModelOptions } from "../src/models/entry.ts";
import { modelEntries, type ModelName, modelNames, namedModel } from "../src/models/index.ts";
import { crossEntropy } from "../src/nn/functions.ts";
import { type Entry, initialize, type Layout, pack, unpack } from "../src/nn/layout.ts";
import { declare, forward, type Model, vectorInput, vectorLength } from "../src/nn/scope.ts";
import { ConfigError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";
import { dotOf, fill, normOf, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { GOLDEN_F64 } from "./tolerances.ts";

/** By parameter: a few elements, the norm, and the product with fill(seed + k). */
interface Summary {
  readonly samples: readonly (readonly number[])[];
  readonly norms: readonly number[];
  readonly products: readonly number[];
}

interface Golden {
  readonly model: ModelName;
  readonly options: ModelOptions;
  readonly inputShape: Shape;
  readonly parameters: readonly [name: string, shape: Shape][];
  readonly buffers: readonly [name: string, shape: Shape][];
  readonly logits: readonly number[];
  readonly inference: readonly number[];
  readonly running: readonly number[];
  readonly loss: number;
  readonly grad: Summary;
  readonly hvp: Summary;
}

const SAMPLES = 8;
/** Where a parameter's part is shorter than this share of the whole, rounding of the whole is what is left of it. */
const NEGLIGIBLE = 1e-3;
/** Small networks have every kind of layer, too. */
const SHALLOW: Partial<Record<ModelName, { readonly depth: number }>> = { "wide-resnet": { depth: 10 } };

const { cases } = JSON.parse(readFileSync(new URL("golden/models.json", import.meta.url), "utf8")) as {
  readonly cases: readonly Golden[];
};

/** The starting numbers of scripts/golden/models.py. */
function parameter({ shape, size, name }: Entry, k: number): Float64Array {
  if (shape.length > 1) return fill(100 + k, size, 2 / Math.sqrt(sizeOf(shape.slice(1))));
  return fill(100 + k, size, 0.3, name.endsWith("weight") ? 1 : 0);
}

const statistic = ({ size, name }: Entry, k: number) => fill(500 + k, size, 0.3, name.endsWith("var") ? 1 : 0);

const packed = (layout: Layout, make: (entry: Entry, k: number) => Float64Array) =>
  pack(
    layout,
    Object.fromEntries(layout.entries.map((entry, k) => [entry.name, make(entry, k)])),
    new Float64Array(vectorLength(layout)),
  );

function evaluate(model: Model, classes: number) {
  const [batch] = model.inputShape as [number];
  const theta = vectorInput("theta", model.parameters, "f64");
  const buffers = vectorInput("buffers", model.buffers, "f64");
  const x = input("x", model.inputShape, "f64");
  const trained = forward(model, x, { theta, buffers, training: true });
  const inferred = forward(model, x, { theta, buffers, training: false });
  const loss = crossEntropy(trained.logits, input("labels", [batch], "i32"));
  const g = grad(loss, theta);
  const outputs = {
    logits: trained.logits,
    inference: inferred.logits,
    loss,
    grad: g,
    hvp: gradientVectorProduct(g, theta, input("v", theta.shape, "f64")),
    ...(model.buffers.size === 0 ? {} : { running: trained.buffers }),
  };
  const feeds = {
    theta: packed(model.parameters, parameter),
    buffers: packed(model.buffers, statistic),
    v: packed(model.parameters, ({ size }, k) => fill(1000 + k, size)),
    x: fill(7, sizeOf(model.inputShape), 1.7),
    labels: Int32Array.from({ length: batch }, (_, i) => (3 * i + 1) % classes),
  };
  return runOn<string>(outputs, feeds, { convolution: "direct", threads: 1 });
}

/** A vector's parts by parameter, in PyTorch's order of elements. */
const partsOf = (layout: Layout, flat: ArrayLike<number>) => Object.values(unpack(layout, Float64Array.from(flat)));

function sample(part: Float64Array, k: number): Float64Array {
  const every = Math.ceil(part.length / SAMPLES);
  return part.filter((_, i) => i % every === k % every);
}

const title = ({ model, options, inputShape }: Golden) =>
  `${model} ${JSON.stringify(options)} on ${inputShape.join("×")}`;

describe.each(cases.map((golden) => [title(golden), golden] as const))("%s", (name, golden) => {
  const model = declare(namedModel(golden.model, golden.options), golden.inputShape);
  let results: Record<string, ArrayLike<number>>;
  beforeAll(async () => {
    results = await evaluate(model, golden.options.classes);
  });

  it("has the names, shapes and order of PyTorch's state dict", () => {
    const declared = (layout: Layout) => layout.entries.map(({ name, shape }) => [name, shape]);
    expect(declared(model.parameters)).toEqual(golden.parameters);
    expect(declared(model.buffers)).toEqual(golden.buffers);
  });

  it("has PyTorch's logits and loss in training, its running statistics after it, and its logits in inference", () => {
    expect(relativeError(results.logits!, golden.logits)).toBeLessThan(GOLDEN_F64);
    expect(relativeError(results.loss!, [golden.loss])).toBeLessThan(GOLDEN_F64);
    const running = partsOf(model.buffers, results.running ?? []).map(normOf);
    expect(relativeError(running, golden.running)).toBeLessThan(GOLDEN_F64);
    expect(relativeError(results.inference!, golden.inference)).toBeLessThan(GOLDEN_F64);
  });

  it.each([
    ["gradient", "grad", 2000],
    ["Hessian-vector product", "hvp", 3000],
  ] as const)("has PyTorch's %s", (what, kind, seed) => {
    const { samples, norms, products } = golden[kind];
    const parts = partsOf(model.parameters, results[kind]!);
    const smallest = NEGLIGIBLE * normOf(norms);
    // A product with fixed numbers changes with any element and with any exchange of two.
    const ofProducts = parts.map((part, k) => {
      const weights = fill(seed + k, part.length);
      return Math.abs(dotOf(part, weights) - products[k]!) / (Math.max(norms[k]!, smallest) * normOf(weights));
    });
    const error = Math.max(
      ...ofProducts,
      relativeError(parts.map(normOf), norms),
      relativeError(
        parts.flatMap((part, k) => [...sample(part, k)]),
        samples.flat(),
      ),
    );
    console.info(`${name}: relative error of the ${what} ${error.toExponential(1)}`);
    expect(error).toBeLessThan(GOLDEN_F64);
  });
});

describe("the registry", () => {
  it("has a golden case for every model and every activation", () => {
    const covered = new Set(cases.map(({ model, options }) => `${model} ${options.activation ?? "relu"}`));
    const all = modelNames.flatMap((name) => (modelEntries[name].activations ?? []).map((a) => `${name} ${a}`));
    expect(all.filter((each) => !covered.has(each))).toEqual([]);
  });

  it.each(modelNames)("builds %s from a number of classes alone", (name) => {
    const { parameters } = declare(namedModel(name, { classes: 7 }), [2, 3, 32, 32]);
    expect(parameters.entries.at(-1)).toMatchObject({ shape: [7] });
  });

  it.each<[ModelName, number]>([
    ["resnet18", 11_173_962],
    ["resnet34", 21_282_122],
    ["resnet50", 23_520_842],
    ["wide-resnet", 36_479_194],
  ])("has the published number of parameters of %s at its default width", (name, count) => {
    expect(declare(namedModel(name, { classes: 10 }), [2, 3, 32, 32]).parameters.size).toBe(count);
  });

  it.each<[ModelName, Partial<Record<keyof ModelOptions, unknown>>, string]>([
    ["wide-resnet", { depth: 29 }, "model.depth is 29, but a wide-resnet has 6n + 4 layers\n  hint: 10, 16, 22, 28"],
    ["wide-resnet", { depth: 4 }, "model.depth is 4, but a wide-resnet has 6n + 4 layers"],
    ["wide-resnet", { activation: "tanh" }, "model.activation is tanh, but wide-resnet takes relu or silu"],
    ["resnet18", { depth: 18 }, "model.depth is 18, but resnet18 has no choice of depths\n  hint: leave it out"],
    ["resnet50", { activation: "gelu" }, "model.activation is gelu, but resnet50 takes relu or silu"],
    ["cnn6", { depth: 6 }, "model.depth is 6, but cnn6 has no choice of depths"],
    ["cnn6", { width: 2.5 }, "model.width is 2.5, expected a whole number of at least 1"],
    ["mlp", { activation: "silu" }, "model.activation is silu, but mlp takes relu or tanh"],
    ["mlp", { depth: 0 }, "model.depth is 0, expected a whole number of at least 1"],
    ["mlp", { classes: 0 }, "classes is 0, expected a whole number of at least 1"],
    [
      "vgg" as ModelName,
      {},
      "there is no model vgg\n  hint: models: resnet18, resnet34, resnet50, wide-resnet, cnn6, smooth-cnn, mlp",
    ],
  ])("refuses %s with %o", (name, options, message) => {
    const build = () => namedModel(name, { classes: 10, ...options } as ModelOptions);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });
});

describe.each(modelNames)("the start of %s is PyTorch's default", (name) => {
  const { parameters, buffers } = declare(namedModel(name, { classes: 10, width: 8, ...SHALLOW[name] }), [2, 3, 8, 8]);
  const start = (layout: Layout) =>
    unpack(
      layout,
      initialize(layout, (label) => rng(3, label), new Float64Array(layout.size)),
    );
  const [values, statistics] = [start(parameters), start(buffers)];
  const owner = (entry: string) => entry.slice(0, entry.lastIndexOf("."));
  const weightOf = new Map(
    parameters.entries.filter((entry) => entry.name.endsWith("weight")).map((entry) => [owner(entry.name), entry]),
  );
  const isNorm = (entry: Entry) => weightOf.get(owner(entry.name))!.shape.length === 1;
  /** PyTorch's kaiming_uniform with a = √5, and its biases: ±1/√fan_in, the fan-in of the layer's weight. */
  const bound = (entry: Entry) => 1 / Math.sqrt(sizeOf(weightOf.get(owner(entry.name))!.shape.slice(1)));

  it("in convolutions and linear layers: uniform in ±1/√fan_in, weights and biases", () => {
    const drawn = parameters.entries.filter((entry) => !isNorm(entry));
    expect(drawn.length).toBeGreaterThan(0);
    for (const entry of drawn) {
      const u = values[entry.name]!.map((value) => value / bound(entry));
      const n = u.length;
      const mean = u.reduce((total, value) => total + value, 0) / n;
      const largest = u.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest, entry.name).toBeLessThanOrEqual(1);
      if (n > 500) expect(largest, entry.name).toBeGreaterThan(0.97);
      // The uniform distribution has variance 1/3 and fourth moment 1/5; within five standard errors of n draws.
      expect(Math.abs(mean), entry.name).toBeLessThan(5 * Math.sqrt(1 / 3 / n));
      expect(Math.abs(dotOf(u, u) / n - 1 / 3), entry.name).toBeLessThan(5 * Math.sqrt((1 / 5 - 1 / 9) / n));
    }
  });

  it("in batch norm: weights and variances 1, biases and means 0", () => {
    for (const [entry, array] of Object.entries({ ...values, ...statistics }))
      if (entry in statistics || isNorm(parameters.entries.find((e) => e.name === entry)!))
        expect(new Set(array), entry).toEqual(new Set([/(weight|running_var)$/.test(entry) ? 1 : 0]));
  });
});
