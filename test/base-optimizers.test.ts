import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tanh } from "../src/graph/ops/elementwise.ts";
import { constant } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { crossEntropy, mean } from "../src/nn/functions.ts";
import { frozenBy } from "../src/nn/freeze.ts";
import { fromNchw } from "../src/nn/images.ts";
import { batchNorm, conv, linear } from "../src/nn/layers.ts";
import { pack, unpack } from "../src/nn/layout.ts";
import { declare, forward, type Network } from "../src/nn/scope.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { type Optimizer, type OptimizerName, type OptimizerSettings, optimizers } from "../src/optim/optimizers.ts";
import { parametersOf } from "../src/optim/parameters.ts";
import { trainingStep } from "../src/optim/training-step.ts";
import { compile } from "../src/runtime/compile.ts";
import type { TypedArray } from "../src/runtime/session.ts";
import { sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { GOLDEN_F64 } from "./tolerances.ts";

type Paths = Readonly<Record<OptimizerName, readonly (readonly number[])[]>>;
interface Golden extends Readonly<Record<"alike" | "grouped", Paths>> {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
}

const golden = JSON.parse(readFileSync(new URL("golden/base-optimizers.json", import.meta.url), "utf8")) as Golden;
const [BATCH, IMAGE, CLASSES, STEPS] = [7, [2, 5, 5], 3, 5];
const NEXT = "next ";

/** The numbers of scripts/golden/base_optimizers.py. */
const common = { momentum: 0.9, nesterov: false, weightDecay: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-8 };
const cases: Readonly<Record<OptimizerName, Partial<OptimizerSettings> & { readonly lr: number }>> = {
  sgd: { lr: 0.1 },
  adamw: { lr: 0.05 },
  lion: { lr: 0.02 },
  lars: { lr: 0.5, trustCoefficient: 0.05 },
  lamb: { lr: 0.05, eps: 1e-6 },
  muon: { lr: 0.1, vectorRate: 0.3 },
};
const names = Object.keys(optimizers) as OptimizerName[];

const network: Network = (scope, images) => {
  const x = tanh(conv(scope.at("conv1"), fromNchw(images), 3, { kernel: 3, bias: true }));
  const y = tanh(batchNorm(scope.at("bn"), conv(scope.at("conv2"), x, 4, { kernel: 3, stride: 2 })));
  return linear(scope.at("out"), tanh(linear(scope.at("mid"), mean(y, [0, 1]), 6)), CLASSES);
};
const model = declare(network, [BATCH, ...IMAGE]);
const { parameters: layout, buffers } = model;
const start = Object.fromEntries(
  golden.names.map((name, k) => {
    const shape = golden.shapes[k]!;
    return [name, fill(10 + k, sizeOf(shape), shape.length > 1 ? 0.8 : 0.3, name === "bn.weight" ? 1 : 0)];
  }),
);
const inPytorchOrder = (flat: TypedArray) => {
  const parts = unpack(layout, Float64Array.from(flat));
  return golden.names.flatMap((name) => [...parts[name]!]);
};

/** θ after each of five steps in float64. */
async function pathOf(name: OptimizerName, grouped: boolean): Promise<Float64Array[]> {
  const optimizer: Optimizer = optimizers[name];
  const { lr, ...own } = cases[name];
  const settings = { ...common, ...own, ...(grouped ? { noDecay: true, layerDecay: 0.6 } : {}) };
  const frozen = grouped ? frozenBy(["conv1.*"], layout) : new Set<string>();
  const [vector, number] = [{ shape: [layout.size], dtype: "f64" } as const, { shape: [], dtype: "f64" } as const];
  const scalars = Object.keys(optimizer.scalars(1, settings));
  const build = ({ theta, x, labels, ...rest }: Record<string, Tensor>): Record<string, Tensor> => {
    const still = constant(0, [buffers.size], "f64");
    const f = (point: Tensor) =>
      crossEntropy(forward({ ...model, frozen }, x!, { theta: point, buffers: still, training: true }).logits, labels!);
    const made = trainingStep({
      ...{ f, theta: theta!, v: theta!, method: trainingMethods.sgd, values: {}, optimizer, settings, lr },
      slots: rest,
      scalars: rest,
      parameters: parametersOf(layout, settings, frozen),
    });
    const after = { theta: made.theta, ...made.slots };
    return Object.fromEntries(Object.entries(after).map(([key, tensor]) => [`${NEXT}${key}`, tensor]));
  };
  const spec = {
    ...Object.fromEntries(["theta", ...optimizer.slots].map((key) => [key, vector])),
    ...Object.fromEntries(scalars.map((key) => [key, number])),
    x: { shape: [BATCH, ...IMAGE], dtype: "f64" },
    labels: { shape: [BATCH], dtype: "i32" },
  } as const;
  const executable = await compile(build, spec, { threads: 1 });
  let state: Record<string, Float64Array> = {
    theta: pack(layout, start, new Float64Array(layout.size)),
    ...Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float64Array(layout.size)])),
  };
  const path: Float64Array[] = [];
  for (let t = 0; t < STEPS; t++) {
    const labels = Int32Array.from({ length: BATCH }, (_, i) => (2 * i + t + 1) % CLASSES);
    const numbers = Object.entries(optimizer.scalars(t + 1, settings)).map(([key, x]) => [key, Float64Array.of(x)]);
    const x = fill(50 + t, BATCH * sizeOf(IMAGE), 1.5);
    const results = await executable.run({ ...state, ...Object.fromEntries(numbers), x, labels });
    state = Object.fromEntries(Object.keys(state).map((key) => [key, Float64Array.from(results[`${NEXT}${key}`]!)]));
    path.push(state.theta!);
  }
  await executable.release();
  return path;
}

describe("a base optimizer", () => {
  it.each(names)("takes the steps of its authors' formula: %s", async (name) => {
    const path = await pathOf(name, false);
    for (const [t, expected] of golden.alike[name].entries())
      expect(relativeError(inPytorchOrder(path[t]!), expected), `step ${t}`).toBeLessThan(GOLDEN_F64);
  });

  it.each(names)(
    "with frozen parameters, rates by layer and no decay of vectors is PyTorch's in groups: %s",
    async (name) => {
      const last = (await pathOf(name, true)).at(-1)!;
      expect(relativeError(inPytorchOrder(last), golden.grouped[name][0]!)).toBeLessThan(GOLDEN_F64);
      const [found, given] = [unpack(layout, last), unpack(layout, pack(layout, start, new Float64Array(layout.size)))];
      for (const key of ["conv1.weight", "conv1.bias"]) expect(found[key]).toEqual(given[key]);
    },
  );

  it("takes steps that no other one takes, and others in groups", () => {
    const ends = names.flatMap((name) => [golden.alike[name].at(-1)!, golden.grouped[name][0]!]);
    for (const [i, one] of ends.entries())
      for (const other of ends.slice(0, i)) expect(relativeError(one, other)).toBeGreaterThan(1e-4);
  });
});
