import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { compileStep } from "../src/api/step.ts";
import { train } from "../src/api/train.ts";
import type { Batch } from "../src/data/dataset.ts";
import { add, tanh } from "../src/graph/ops/elementwise.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import type { Network } from "../src/nn/scope.ts";
import { radius } from "../src/optim/hyper.ts";
import { defineMethod, zeros } from "../src/optim/method.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { defineMetric } from "../src/optim/metrics/metric.ts";
import { trainingMethodNames, trainingMethods } from "../src/optim/methods/index.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { runFiles } from "../src/run/files.ts";
import { nodeSessions } from "../src/runtime/node-session.ts";
import type { Port, SessionFactory } from "../src/runtime/session.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { compileStepGraph } from "../src/train/graphs.ts";
import { lossGraphs } from "../src/train/loss-graphs.ts";
import { partsOfBatch } from "../src/train/micro.ts";
import { nextRunning, scoreByHand } from "./support/by-hand.ts";
import { regressionData } from "./support/linear.ts";
import { along, normOf, relativeError } from "./support/numbers.ts";
import {
  batch,
  cosine,
  gradient,
  LR,
  open,
  releaseAll,
  RHO,
  ROWS,
  RUNNING,
  sessions,
  unit,
} from "./support/hand-session.ts";
import { CONCATENATED, F32 } from "./tolerances.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-micro-"));
afterAll(async () => {
  await releaseAll();
  rmSync(folder, { recursive: true });
});

const COUNT = 16;
const { x } = regressionData(COUNT, 3);
const y = { data: Int32Array.from({ length: COUNT }, (_, i) => (i * i) % 3), shape: [COUNT] };
const plain: Network = (scope, inputs) => linear(scope.at("out"), tanh(linear(scope.at("in"), inputs, 4)), 3);
const normed: Network = (scope, inputs) =>
  linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), inputs, 4))), 3);
const options = { data: { train: { x, y } }, model: plain, epochs: 1, batch: 8, threads: 1, clip: 0.3 } as const;

/** Every number that a run of two steps makes: weights, steps and estimates of v. */
async function numbersOf(more: Partial<Parameters<typeof train>[0]>): Promise<Record<string, number[]>> {
  const events: TrainEvent[] = [];
  const run = await train({ ...options, ...more }, { onEvent: (event) => events.push(event) }).done;
  await run.release();
  const of = <E extends TrainEvent["event"]>(kind: E) =>
    events.filter((event): event is Extract<TrainEvent, { event: E }> => event.event === kind);
  return {
    weights: Object.values(run.weights()).flatMap(({ data }) => [...data]),
    steps: of("step").flatMap(({ loss, accuracy, metrics }) => [loss, accuracy ?? -1, ...Object.values(metrics)]),
    estimates: of("refresh").flatMap(({ eigenvalue, residual, rayleigh, cosGradV }) => [
      ...[eigenvalue, residual, rayleigh, cosGradV],
    ]),
    probe: of("probe").flatMap(({ loss, eigenvalue, batches, images, cosGrad = 0, cosEps = 0 }) => [
      ...[loss, eigenvalue, batches, images, cosGrad, cosEps],
    ]),
  };
}

describe("a mini-batch in micro-batches gives the numbers of the whole", () => {
  // ESAM's choice of examples needs all of them.
  const named = trainingMethodNames.map((name) => (name === "esam" ? { name, gamma: 1 } : { name }) as NamedMethod);
  const solvers = (["power", "lanczos", "spread", "oracle"] as const).map(
    (solver): NamedMethod => ({ name: "eigen-sam", solver, every: 2, iterations: 2 }),
  );
  it.each([...named, ...solvers, { name: "eigen-sam", warmup: "usam", every: 1 }] as NamedMethod[])(
    "of $name $solver $warmup",
    async (method) => {
      const probe = { at: method.name === "eigen-sam" ? [1] : [], batches: 2, products: 40 };
      const [whole, parts] = [await numbersOf({ method, probe }), await numbersOf({ method, probe, accumulate: 4 })];
      for (const [what, expected] of Object.entries(whole)) {
        expect(parts[what], what).toHaveLength(expected.length);
        if (expected.length > 0) expect(relativeError(parts[what]!, expected), what).toBeLessThan(CONCATENATED);
      }
      expect(whole.estimates!.length > 0).toBe(method.name === "eigen-sam");
    },
  );

  it("of mini-batches that come as a stream", async () => {
    const batches = [0, 8].map((i) => ({ x: x.slice(i, i + 8), y: { data: y.data.slice(i, i + 8), shape: [8] } }));
    const { batch: _, ...rest } = options;
    const own = { ...rest, data: { train: () => batches, classes: 3, stepsPerEpoch: 2 } } as const;
    const weights = async (more: object) => {
      const run = await train({ ...own, ...more }).done;
      await run.release();
      return Object.values(run.weights()).flatMap(({ data }) => [...data]);
    };
    expect(relativeError(await weights({ accumulate: 4 }), await weights({}))).toBeLessThan(CONCATENATED);
    await expect(train({ ...own, accumulate: 3 }).done).rejects.toThrow("a mini-batch of 8 examples cannot be 3");
  });

  it("over AdamW, with real-valued targets, and of a metric that reads the loss elsewhere", async () => {
    const ahead = defineMetric({
      name: "ahead",
      title: "Loss ahead",
      symbol: "f(θ + g)",
      about: "loss at θ + g",
      of: ({ f, theta, direction }) => f(add(theta, direction)),
    });
    const data = { train: { x, y: regressionData(COUNT, 3).y } };
    const model: Network = (scope, inputs) => linear(scope.at("out"), tanh(linear(scope.at("in"), inputs, 4)), 1);
    const common = { data, model, optimizer: { name: "adamw" }, metrics: [ahead], method: "sam" } as const;
    const [whole, parts] = [await numbersOf(common), await numbersOf({ ...common, accumulate: 2 })];
    for (const [what, expected] of Object.entries(whole))
      if (expected.length > 0) expect(relativeError(parts[what]!, expected), what).toBeLessThan(CONCATENATED);
    expect(whole.steps).toHaveLength(2 * 4);
  });
});

describe("batch norm over micro-batches", () => {
  const parts = partsOfBatch(batch, 2);
  const mean = (of: (part: Batch) => ArrayLike<number>) => {
    const all = parts.map(of);
    return Float64Array.from(all[0]!, (_, i) => all.reduce((sum, values) => sum + values[i]!, 0) / all.length);
  };
  const running = (theta: ArrayLike<number>) =>
    parts.reduce<ArrayLike<number>>((statistics, part) => nextRunning(theta, part, statistics), RUNNING);

  async function begunInParts(method: object, accumulate: number | undefined) {
    const session = await open(method, accumulate === undefined ? {} : { train: { accumulate } });
    sessions.push(session);
    session.state.buffers.set(RUNNING);
    return session;
  }

  it("takes the statistics of each, and moves the running ones once for each, at θ alone", async () => {
    const { stepper, state } = await begunInParts({ name: "sam" }, 2);
    const theta = state.theta.slice();
    const g = mean((part) => gradient(theta, part));
    const there = along(theta, unit(g), RHO);
    const { correct, loss } = await stepper.step(state, batch, { lr: LR });
    expect(
      relativeError(
        state.theta,
        along(
          theta,
          mean((part) => gradient(there, part)),
          -LR,
        ),
      ),
    ).toBeLessThan(F32);
    expect(relativeError(state.buffers, running(theta))).toBeLessThan(F32);
    const scores = parts.map((part) => scoreByHand(theta, part, undefined));
    expect(correct).toBe(scores.reduce((sum, score) => sum + score.correct, 0));
    expect(loss).toBeCloseTo(
      scores.reduce((sum, score) => sum + score.loss / 2, 0),
      6,
    );
  });

  it("of m perturbations along m gradients takes the mean of the gradients there", async () => {
    const { stepper, state } = await begunInParts({ name: "sam", m: 2 }, undefined);
    const theta = state.theta.slice();
    const direction = mean((part) => gradient(along(theta, unit(gradient(theta, part)), RHO), part));
    const { metrics } = await stepper.step(state, batch, { lr: LR });
    expect(relativeError(state.theta, along(theta, direction, -LR))).toBeLessThan(F32);
    expect(relativeError(state.buffers, running(theta))).toBeLessThan(F32);
    expect(metrics.gradNorm).toBeCloseTo(normOf(mean((part) => gradient(theta, part))), 5);
  });

  it("of a look, an estimate by running statistics and a warm-up changes nothing but v", async () => {
    const method = { name: "eigen-sam", solver: "lanczos", hessianBn: "running", warmup: "usam", m: 2 };
    const { stepper, state } = await begunInParts(method, undefined);
    const before = structuredClone(state);
    const u = Float64Array.from(unit(Float64Array.from(state.theta, (_, i) => Math.cos(i))));
    const look = await stepper.look(state, batch, { lr: LR }, Float32Array.from(u));
    const g = mean((part) => gradient(state.theta, part));
    const epsilons = mean((part) => unit(gradient(state.theta, part)));
    expect([look.cosGrad, look.cosEps]).toEqual([cosine(g, u), cosine(epsilons, u)].map((x) => expect.closeTo(x, 5)));
    expect(state).toEqual(before);
    const { eigenvalue } = await stepper.refresh(state, batch);
    const [one] = [await begunInParts({ ...method, m: undefined }, undefined)];
    expect(eigenvalue).toBeCloseTo((await one.stepper.refresh(one.state, batch)).eigenvalue, 5);
    expect({ ...state, v: before.v, quality: before.quality }).toEqual(before);
  });
});

describe("m-SAM", () => {
  it.each(["sam", "asam", "gsam", "cr-sam", "egr"] as const)(
    "with %s is the mean of its steps on the parts",
    async (name) => {
      const network = plain;
      const inputs = { x: [ROWS, 3], y: [ROWS] } as const;
      const common = { network, classes: 3, threads: 1, optimizer: { momentum: 0, weightDecay: 0 } } as const;
      const whole = await compileStep({ ...common, inputs, method: { name, m: 3 } });
      const part = await compileStep({ ...common, inputs: { x: [2, 3], y: [2] }, method: name });
      const directionOf = async (step: typeof whole, on: Batch) => {
        const state = step.init();
        const theta = state.theta.slice();
        await step.run(state, on, { lr: 1 });
        return along(theta, state.theta, -1);
      };
      const found: Float64Array[] = [];
      for (const on of partsOfBatch(batch, 3)) found.push(await directionOf(part, on));
      const mean = found[0]!.map((_, i) => found.reduce((sum, direction) => sum + direction[i]! / 3, 0));
      expect(relativeError(await directionOf(whole, batch), mean)).toBeLessThan(1e-6);
      await whole.release();
      await part.release();
    },
  );
});

describe("micro-batches", () => {
  it("take the memory of one: every graph that sees examples sees one part, and both gradients are one graph's", async () => {
    const { task, model, micro } = await open({ name: "sam" }, { train: { accumulate: 3 } }).then((session) => {
      sessions.push(session);
      return session;
    });
    const seen: Port[] = [];
    const keeping: boolean[] = [];
    const spy: SessionFactory = (onnx, inputs, outputs, settings) => {
      seen.push(...inputs.filter(({ name }) => name === "x"));
      keeping.push(settings.arena === true && !inputs.some(({ name }) => name === "x"));
      return nodeSessions("cpu")(onnx, inputs, outputs, settings);
    };
    const graphs = lossGraphs(task, model, micro, { compile: { threads: 1, sessions: spy } });
    const settings = { momentum: 0, nesterov: false, weightDecay: 0, beta1: 0, beta2: 0, eps: 1 };
    const step = await compileStepGraph(graphs, model, {
      ...{ method: trainingMethods.sam, optimizer: optimizers.sgd, settings, clip: 0, follow: 0, metrics: [] },
    });
    const zeros = () => new Float32Array(model.parameters.size);
    const number = Float32Array.of(0.1);
    const vectors = { theta: zeros(), v: zeros(), momentum_buffer: zeros(), buffers: RUNNING.slice() };
    const { x, y } = batch;
    await step.run({ ...vectors, x, y, lr: number, step: number, "hyper.rho": number });
    expect(seen.map(({ shape }) => shape[0])).toEqual([ROWS / 3]);
    // The graphs of vectors between the passes keep no memory of their own.
    expect(keeping).toEqual([false, false, false]);
    await step.release();
    await graphs.release();
  });

  it.each<[string, NamedMethod]>([
    ["Eigen-SAM", { name: "eigen-sam" }],
    ["F-SAM", { name: "f-sam" }],
    ["late LookSAM", { name: "look-sam", from: 0.5, k: 2 }],
    ["m-SAM", { name: "sam", m: 2 }],
  ])("resume to the same bytes: %s", async (_, method) => {
    const own = { ...options, model: normed, method, accumulate: 4 } as const;
    const bytes = (run: string) => (["metrics", "weights"] as const).map((file) => readFileSync(runFiles(run)[file]));
    const [whole, halves] = ["whole", "halves"].map((kind) => join(folder, `${kind}-${method.name}`)) as [
      string,
      string,
    ];
    await (await train({ ...own, dir: whole }).done).release();
    const controller = new AbortController();
    const onEvent = ({ event }: TrainEvent) => {
      if (event === "step") controller.abort();
    };
    await (await train({ ...own, dir: halves }, { onEvent, signal: controller.signal }).done).release();
    await (await train({ ...own, dir: halves }).done).release();
    expect(bytes(halves)).toEqual(bytes(whole));
  });

  it.each([
    [{ accumulate: 3 }, "a mini-batch of 8 examples cannot be 3 of equal size"],
    [{ method: { name: "sam", m: 5 } }, "set method.m to a divisor of the batch, such as 4"],
    [{ accumulate: 2, method: { name: "sam", m: 4 } }, "train.accumulate is 2 and method.m is 4"],
    [{ method: { name: "f-sam", m: 2 } }, "method.m is 2, but f-sam keeps m from step to step"],
    [{ method: { name: "eigen-sam", m: 2 } }, "method.m is 2, but solver free follows the change of one gradient"],
    [{ method: { name: "sgd", m: 2 } }, "train: sgd does not read method.m"],
    [{ accumulate: 0 }, "train.accumulate"],
  ] as const)("that mean nothing are refused: %j", async (more, message) => {
    await expect(train({ ...options, ...(more as object) }).done).rejects.toThrow(message);
  });

  it("leave the name m to vectors of a method, and not to its numbers", () => {
    const common = { name: "own", title: "Own", summary: "g" };
    const descend = ({ g }: { g: Tensor }) => ({ direction: g, m: g });
    expect(defineMethod({ ...common, state: { m: zeros }, descend }).state).toEqual({ m: "zeros" });
    const numbered = () => defineMethod({ ...common, hyper: { m: radius() }, descend: ({ g }) => ({ direction: g }) });
    expect(numbered).toThrow("method own: the name m is reserved");
  });
});
