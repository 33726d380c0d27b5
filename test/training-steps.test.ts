import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tanh } from "../src/graph/ops/elementwise.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import { losses } from "../src/nn/losses.ts";
import { pack, unpack } from "../src/nn/layout.ts";
import type { Network } from "../src/nn/scope.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { solvers } from "../src/optim/eigenvector.ts";
import { refreshPlan } from "../src/optim/refresh-plan.ts";
import { average, finalWeights } from "../src/train/average.ts";
import type { Micro } from "../src/train/micro.ts";
import { initialState } from "../src/train/state.ts";
import { createStepper } from "../src/train/stepper.ts";
import { modelFor, type Task } from "../src/train/task.ts";
import { sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { TRAINER_F32 } from "./tolerances.ts";

interface Rows {
  readonly parameters: readonly (readonly number[])[];
  readonly statistics: readonly (readonly number[])[];
  readonly averaged: readonly (readonly number[])[];
}
type Golden = Readonly<Record<keyof typeof cases, Rows>> & {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
};
const golden = JSON.parse(readFileSync(new URL("golden/training-steps.json", import.meta.url), "utf8")) as Golden;

const [INPUTS, HIDDEN, CLASSES, BATCH, LR, RHO, EMA] = [4, 5, 3, 12, 0.1, 0.3, 0.2];
const settings = { momentum: 0.9, nesterov: false, weightDecay: 0.01, beta1: 0, beta2: 0, eps: 0 };
const network: Network = (scope, x) =>
  linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), x, HIDDEN))), CLASSES);
const task: Task = {
  format: { inputShape: [INPUTS], targets: { kind: "labels", classes: CLASSES }, mean: [], std: [], dtype: "f32" },
  network,
  loss: losses["cross-entropy"],
  labelSmoothing: 0,
};

/** The cases of scripts/golden/training_steps.py: the method, the step that it begins at, and how a mini-batch is computed. */
const cases = {
  sgd: ["sgd", 0, { count: 1, functions: 1 }],
  "sam from step 2": ["sam", 2, { count: 1, functions: 1 }],
  "sgd, accumulated": ["sgd", 0, { count: 4, functions: 1 }],
  "sam, accumulated": ["sam", 0, { count: 4, functions: 1 }],
  "m-sam": ["sam", 0, { count: 4, functions: 4 }],
  "m-sam, accumulated": ["sam", 0, { count: 4, functions: 2 }],
} as const satisfies Readonly<Record<string, readonly ["sgd" | "sam", number, Micro]>>;
type Name = keyof typeof cases;

describe("five steps of training are PyTorch's", () => {
  it.each(Object.keys(cases) as Name[])("%s", async (name) => {
    const [which, start, micro] = cases[name];
    const method = trainingMethods[which];
    const model = modelFor(task, BATCH / micro.count);
    const stepper = await createStepper({
      ...{ task, model, micro, method, settings, start, clip: 0, metrics: [], seed: 1 },
      ...{ optimizer: optimizers.sgd, hyper: which === "sam" ? { rho: RHO } : {}, compile: { threads: 1 } },
      ...{ hessianBn: "batch", warmup: "estimate" },
      plan: refreshPlan(method, solvers.free, {
        ...{ every: 1, iterations: 1, follow: 0.1, trust: 0.5, warmup: "estimate", compat: "none" },
      }),
    });
    const { parameters, buffers } = model;
    const begun = initialState(model, optimizers.sgd, method, 1);
    const first = golden.names.map((key, k) => {
      const shape = golden.shapes[k]!;
      return [key, fill(10 + k, sizeOf(shape), shape.length > 1 ? 0.8 : 0.3, key === "bn.weight" ? 1 : 0)] as const;
    });
    pack(parameters, Object.fromEntries(first), begun.theta);
    const state = { ...begun, averaged: { theta: begun.theta.slice(), buffers: begun.buffers.slice() } };
    for (const [t, expected] of golden[name].parameters.entries()) {
      const x = Float32Array.from(fill(50 + t, BATCH * INPUTS, 1.5));
      const y = Int32Array.from({ length: BATCH }, (_, i) => (2 * i + t + 1) % CLASSES);
      await stepper.step(state, { x, y }, { lr: LR });
      average(state, EMA);
      const weights = (theta: Float32Array) => golden.names.flatMap((key) => [...unpack(parameters, theta)[key]!]);
      const statistics = (flat: Float32Array) => {
        const running = unpack(buffers, flat);
        return [...running["bn.running_mean"]!, ...running["bn.running_var"]!];
      };
      const mean = finalWeights(state);
      const pairs = [
        [weights(state.theta), expected],
        [statistics(state.buffers), golden[name].statistics[t]!],
        [[...weights(mean.theta), ...statistics(mean.buffers)], golden[name].averaged[t]!],
      ] as const;
      for (const [found, values] of pairs) expect(relativeError(found, values), `step ${t}`).toBeLessThan(TRAINER_F32);
    }
    await stepper.release();
  });

  it("no two of which are alike", () => {
    const last = (Object.keys(cases) as Name[]).map((name) => golden[name].parameters.at(-1)!);
    for (const [i, one] of last.entries())
      for (const other of last.slice(0, i)) expect(relativeError(one, other)).toBeGreaterThan(100 * TRAINER_F32);
  });
});
