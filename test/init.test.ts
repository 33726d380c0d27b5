import { describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import { compileStep } from "../src/api/step.ts";
import { modelEntries } from "../src/models/index.ts";
import { type ModelEntry, networkOf } from "../src/models/entry.ts";
import { type InitName, initNames } from "../src/nn/init.ts";
import { initialize, layoutOf, unpack } from "../src/nn/layout.ts";
import { conv, linear } from "../src/nn/layers.ts";
import { declare, type Network } from "../src/nn/scope.ts";
import { resolveConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { sizeOf } from "../src/util/shape.ts";
import { SIGMAS } from "./tolerances.ts";

/**
 * nn.init._calculate_fan_in_and_fan_out of PyTorch 1.13, the σ of kaiming_normal_(mode="fan_in", nonlinearity="relu") and the bound of
 * xavier_uniform_, by shape of the weights.
 */
const torch = [
  { shape: [8, 3, 3, 3], fanIn: 27, he: 0.2721655269759087, xavier: 0.24618298195866548 },
  { shape: [16, 8, 1, 1], fanIn: 8, he: 0.5, xavier: 0.49999999999999994 },
  { shape: [10, 32], fanIn: 32, he: 0.25, xavier: 0.3779644730092272 },
  { shape: [5, 7], fanIn: 7, he: 0.5345224838248488, xavier: 0.7071067811865475 },
] as const;

/** Weights of one shape from many seeds: enough of them for moments. */
function weights(shape: readonly number[], scheme: InitName): number[] {
  const [out, inputs, kernel] = shape as [number, number, number?];
  const network: Network = (scope, x) =>
    kernel === undefined ? linear(scope, x, out) : conv(scope, x, out, { kernel, bias: true });
  const x = kernel === undefined ? [1, inputs] : [4, 4, 1, inputs];
  const { parameters } = declare(network, x);
  const repeats = Math.ceil(20_000 / sizeOf(shape));
  return Array.from({ length: repeats }, (_, seed) => {
    const arrays = unpack(
      parameters,
      initialize(parameters, (name) => rng(seed, name), new Float64Array(parameters.size), scheme),
    );
    expect([...arrays.bias!].every((value) => (scheme === "default" ? value !== 0 : value === 0))).toBe(true);
    return [...arrays.weight!];
  }).flat();
}

const moment = (values: readonly number[], power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

/** Mean, variance and fourth moment within the sampling error of those of the distribution, whose even moments are given. */
function expectMoments(values: readonly number[], [second, fourth, sixth, eighth]: readonly number[]): void {
  const within = (found: number, expected: number, variance: number) =>
    expect(Math.abs(found - expected)).toBeLessThan(SIGMAS * Math.sqrt(variance / values.length));
  within(moment(values, 1), 0, second!);
  within(moment(values, 2), second!, fourth! - second! ** 2);
  within(moment(values, 3), 0, sixth!);
  within(moment(values, 4), fourth!, eighth! - fourth! ** 2);
}

describe.each(torch)("weights $shape", ({ shape, fanIn, he, xavier }) => {
  it("he: normal with PyTorch's deviation, biases 0", () => {
    expectMoments(weights(shape, "he"), [he ** 2, 3 * he ** 4, 15 * he ** 6, 105 * he ** 8]);
  });

  it.each([
    ["xavier: uniform within PyTorch's bound, biases 0", "xavier", xavier],
    ["default: uniform within 1/√fan_in", "default", 1 / Math.sqrt(fanIn)],
  ] as const)("%s", (_, scheme, bound) => {
    const values = weights(shape, scheme);
    expectMoments(values, [bound ** 2 / 3, bound ** 4 / 5, bound ** 6 / 7, bound ** 8 / 9]);
    const largest = Math.max(...values.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.999 * bound);
  });
});

describe.each(Object.values<ModelEntry>(modelEntries))("$name", (entry) => {
  const { options, inputShape } = entry.sample!;
  const { parameters } = declare(networkOf(entry, options), inputShape);
  const arrays = (scheme?: InitName) =>
    unpack(
      parameters,
      initialize(parameters, (name) => rng(4, "theta", name), new Float32Array(parameters.size), scheme),
    );
  const start = arrays();
  const expectSame = (name: string, expected: Float32Array, found = start) =>
    expect(found[name]!.length === expected.length && found[name]!.every((x, i) => x === expected[i]), name).toBe(true);
  // Norms declare one number per channel, 1 and 0; a token and positions are no layers. What is left are layers: weights of two axes or more,
  // and their biases.
  const normed = (name: string) => /(^|\.)bn\d|shortcut\.1|\.norm|\.ln(_\d)?\.|class_token|pos_embedding/.test(name);

  // test/vit.test.ts has the start of transformers.
  const standard = entry.defaultHeads === undefined ? [entry.name] : [];
  it.each(standard)("%s starts by default as PyTorch does, each parameter from a stream of its own", () => {
    for (const [i, { name, shape, size }] of parameters.entries.entries()) {
      const weight = shape.length > 1 ? shape : parameters.entries[i - 1]!.shape;
      const random = rng(4, "theta", name);
      const expected = normed(name)
        ? new Float32Array(size).fill(name.endsWith("weight") ? 1 : 0)
        : Float32Array.from(
            { length: size },
            () => (2 * random.uniform() - 1) * (1 / Math.sqrt(sizeOf(weight.slice(1)))),
          );
      expectSame(name, expected);
    }
  });

  it.each(["he", "xavier"] as const)("%s draws the weights of every layer, and leaves norms alone", (scheme) => {
    const found = arrays(scheme);
    for (const { name, shape, size } of parameters.entries) {
      if (normed(name)) expectSame(name, start[name]!, found);
      else if (shape.length === 1) expectSame(name, new Float32Array(size), found);
      else {
        const [out, inputs, ...kernel] = shape as [number, number, ...number[]];
        const [fanIn, fanOut] = [inputs * sizeOf(kernel), out * sizeOf(kernel)];
        const random = rng(4, "theta", name);
        const expected = Float32Array.from({ length: size }, () =>
          scheme === "he"
            ? Math.sqrt(2 / fanIn) * random.normal()
            : Math.sqrt(6 / (fanIn + fanOut)) * (2 * random.uniform() - 1),
        );
        expectSame(name, expected, found);
      }
    }
  });
});

it("a parameter of no layer starts as it is declared, under every scheme", () => {
  const layout = layoutOf([{ name: "scale", shape: [2, 3], init: { fill: 7 } }]);
  for (const scheme of initNames)
    expect([...initialize(layout, () => rng(1), new Float32Array(6), scheme)]).toEqual(new Array(6).fill(7));
});

describe("model.init", () => {
  const data = { train: { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [7]] } };
  /** A rate of 0 leaves the first weights as they are. */
  const first = async (init?: InitName) => {
    const model = { name: "mlp", width: 3, depth: 1, ...(init === undefined ? {} : { init }) } as const;
    const { done } = train({ data, model, method: "sgd", optimizer: { lr: 0 }, seed: 9, epochs: 1, threads: 1 });
    const trained = await done;
    await trained.release();
    return Object.fromEntries(Object.entries(trained.weights()).map(([name, { data: values }]) => [name, [...values]]));
  };

  it("decides the first weights of a run, from its seed", async () => {
    const random = rng(9, "theta", "layers.0.weight");
    const expected = Float32Array.from({ length: 3 }, () => Math.sqrt(2) * random.normal());
    const he = await first("he");
    expect(he["layers.0.weight"]).toEqual([...expected]);
    expect(he["layers.0.bias"]).toEqual([0, 0, 0]);
    const standard = await first();
    expect(await first("default")).toEqual(standard);
    expect(standard["layers.0.weight"]).not.toEqual(he["layers.0.weight"]);
  });

  it("is left out of settings that leave it out, so that earlier runs stay what they are", () => {
    expect(resolveConfig("", []).model).not.toHaveProperty("init");
    expect(resolveConfig("", ["model.init=he"]).model.init).toBe("he");
    expect(() => resolveConfig("", ["model.init=hee"])).toThrow("did you mean he?");
  });

  it("is there for steps of one's own", async () => {
    const network: Network = (scope, x) => linear(scope.at("out"), x, 1);
    const step = await compileStep({ network, inputs: { x: [2, 1], y: [2, 1] }, method: "sgd", threads: 1 });
    const random = rng(2, "theta", "out.weight");
    const { theta } = step.init({ seed: 2, init: "xavier" });
    expect([...theta]).toEqual([Math.fround(Math.sqrt(3) * (2 * random.uniform() - 1)), 0]);
    await step.release();
  });
});
