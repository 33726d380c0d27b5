import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelOptions } from "../src/models/entry.ts";
import { modelEntries, type ModelName, modelNames, namedModel } from "../src/models/index.ts";
import { type Entry, initialize, type Layout, unpack } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { ConfigError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { sizeOf } from "../src/util/shape.ts";
import { evaluate, type GoldenModel, partsOf, summaryError } from "./support/golden-models.ts";
import { dotOf, normOf, relativeError } from "./support/numbers.ts";
import { GOLDEN_F64 } from "./tolerances.ts";

/** Small networks have every kind of layer, too. */
const SHALLOW: Partial<Record<ModelName, { readonly depth: number }>> = { "wide-resnet": { depth: 10 } };

const casesOf = (file: string) =>
  (JSON.parse(readFileSync(new URL(`golden/${file}`, import.meta.url), "utf8")) as { cases: readonly GoldenModel[] })
    .cases;

const cases = casesOf("models.json");
/** test/vit.test.ts has these. */
const transformers = casesOf("vit.json");

const title = ({ model, options, inputShape }: GoldenModel) =>
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
    expect(relativeError(running, golden.running!)).toBeLessThan(GOLDEN_F64);
    expect(relativeError(results.inference!, golden.inference!)).toBeLessThan(GOLDEN_F64);
  });

  it.each([
    ["gradient", "grad", 2000],
    ["Hessian-vector product", "hvp", 3000],
  ] as const)("has PyTorch's %s", (what, kind, seed) => {
    const error = summaryError(model, results[kind]!, golden[kind], seed);
    console.info(`${name}: relative error of the ${what} ${error.toExponential(1)}`);
    expect(error).toBeLessThan(GOLDEN_F64);
  });
});

describe("the registry", () => {
  it("has a golden case for every model and every activation", () => {
    const covered = new Set(cases.map(({ model, options }) => `${model} ${options.activation ?? "relu"}`));
    const all = modelNames.flatMap((name) => (modelEntries[name].activations ?? []).map((a) => `${name} ${a}`));
    expect(all.filter((each) => !covered.has(each))).toEqual([]);
    const models = new Set<string>([...cases, ...transformers].map(({ model }) => model));
    expect(modelNames.filter((name) => !models.has(name))).toEqual([]);
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
    ["cnn6", { heads: 2 }, "model.heads is 2, but cnn6 has no heads of attention\n  hint: leave it out"],
    ["mlp", { patch: 2 }, "model.patch is 2, but mlp does not cut images into patches"],
    ["mlp", { dropout: 0.1 }, "model.dropout is 0.1, but mlp has no dropout\n  hint: leave it out"],
    ["resnet18", { dropPath: 0 }, "model.dropPath is 0, but resnet18 has no dropout"],
    ["vit", { attentionDropout: 1 }, "model.attentionDropout is 1, expected a number in [0, 1)"],
    ["vit", { patch: 0 }, "model.patch is 0, expected a whole number of at least 1"],
    ["vit", { activation: "relu" }, "model.activation is relu, but vit has no choice of activations"],
    ["cnn6", { width: 2.5 }, "model.width is 2.5, expected a whole number of at least 1"],
    ["mlp", { activation: "silu" }, "model.activation is silu, but mlp takes relu or tanh"],
    ["mlp", { depth: 0 }, "model.depth is 0, expected a whole number of at least 1"],
    ["mlp", { classes: 0 }, "classes is 0, expected a whole number of at least 1"],
    [
      "vgg" as ModelName,
      {},
      "there is no model vgg\n  hint: models: resnet18, resnet34, resnet50, wide-resnet, cnn6, smooth-cnn, mlp, vit, vit-b16",
    ],
  ])("refuses %s with %o", (name, options, message) => {
    const build = () => namedModel(name, { classes: 10, ...options } as ModelOptions);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });
});

/** Those with layers of PyTorch's default start alone; test/vit.test.ts has the others. */
const standard = modelNames.filter((name) => !transformers.some(({ model }) => model === name));

describe.each(standard)("the start of %s is PyTorch's default", (name) => {
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
