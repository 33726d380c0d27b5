import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch, Split } from "../src/data/dataset.ts";
import { sdeSettingsOf } from "../src/experiments/sde/config.ts";
import { loadProblem } from "../src/experiments/sde/problem.ts";
import { grad } from "../src/graph/grad.ts";
import { add, tanh } from "../src/graph/ops/elementwise.ts";
import { input } from "../src/graph/ops/source.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { defineModel } from "../src/models/entry.ts";
import { namedModel } from "../src/models/index.ts";
import { dropout, stochasticDepth } from "../src/nn/dropout.ts";
import { linear } from "../src/nn/layers.ts";
import { declare, forward, type Network, type Scope, vectorInput } from "../src/nn/scope.ts";
import { attention } from "../src/nn/transformer.ts";
import { runFiles } from "../src/run/files.ts";
import { compile } from "../src/runtime/compile.ts";
import { fixedBatches } from "../src/train/fixed-batches.ts";
import { partsOfBatch } from "../src/train/micro.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { openSession, problemOf, type Session } from "../src/train/session.ts";
import { trainSettings } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { gradientByHand } from "./support/by-hand.ts";
import { evaluate, type GoldenModel, summaryError } from "./support/golden-models.ts";
import { batch, cosine, dataset, LR, RHO, ROWS, SEED, unit } from "./support/hand-session.ts";
import { along, dotOf, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { F32, GOLDEN_F64, SIGMAS, TRAINER_F32 } from "./tolerances.ts";

const { cases } = JSON.parse(readFileSync(new URL("golden/dropout.json", import.meta.url), "utf8")) as {
  readonly cases: readonly (GoldenModel & { readonly draws: number })[];
};

describe("a vision transformer with dropout and stochastic depth", () => {
  const golden = cases[0]!;
  const model = declare(namedModel("vit", golden.options), golden.inputShape);
  let found: Record<string, ArrayLike<number>>;
  beforeAll(async () => {
    found = await evaluate(model, golden.options.classes, { third: true });
  });

  it("takes as many random numbers as PyTorch's, and has its parameters", () => {
    expect(model.draws).toBe(golden.draws);
    expect(model.parameters.entries.map(({ name, shape }) => [name, shape])).toEqual(golden.parameters);
  });

  it("has PyTorch's loss and logits of the same masks, and without them in evaluation", () => {
    expect(relativeError(found.logits!, golden.logits)).toBeLessThan(GOLDEN_F64);
    expect(relativeError([found.loss![0]!], [golden.loss])).toBeLessThan(GOLDEN_F64);
    expect(relativeError(found.inference!, golden.inference!)).toBeLessThan(GOLDEN_F64);
    expect(relativeError(golden.logits, golden.inference!)).toBeGreaterThan(0.1);
  });

  it.each([
    ["grad", 2000],
    ["hvp", 3000],
    ["third", 4000],
  ] as const)("has PyTorch's %s of them", (kind, seed) => {
    expect(summaryError(model, found[kind]!, golden[kind]!, seed)).toBeLessThan(GOLDEN_F64);
  });

  it("of rates 0 is the network without, to the byte of its graph", async () => {
    const { dropout: _, attentionDropout: __, dropPath: ___, ...plain } = golden.options;
    const [with0, without] = await Promise.all(
      [{ ...plain, dropout: 0, attentionDropout: 0, dropPath: 0 }, plain].map(async (options) => {
        const own = declare(namedModel("vit", options), golden.inputShape);
        expect(own.draws).toBe(0);
        const vectors = { theta: { shape: [own.parameters.size] }, buffers: { shape: [1] } };
        const graph = await compile(
          ({ x, theta, buffers }) => ({
            g: grad(sum(forward(own, x, { theta, buffers, training: true }).logits), theta),
          }),
          { x: { shape: golden.inputShape }, ...vectors },
          { threads: 1 },
        );
        await graph.release();
        return graph.onnx;
      }),
    );
    expect(Buffer.from(with0!).equals(without!)).toBe(true);
  });
});

/** A scope whose random numbers are one input. */
const drawing = (drawn = input("u", [40, 30], "f64")) => ({ uniform: () => drawn }) as unknown as Scope;

const total = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

describe("dropout", () => {
  const ones = { x: new Float64Array(1200).fill(1) };
  const x = input("x", [40, 30], "f64");

  it("keeps a number where its random number is the rate or more, over the part that is kept", async () => {
    const u = Float64Array.from({ length: 1200 }, (_, i) => (i % 4) / 4);
    const { y } = await runOn({ y: dropout(drawing(), x, 0.25) }, { ...ones, u });
    expect([...y.slice(0, 4)]).toEqual([0, 1 / 0.75, 1 / 0.75, 1 / 0.75]);
    expect(total(y)).toBeCloseTo(1200, 8);
  });

  it("leaves the expectation as it is", async () => {
    const random = rng(4, "expectation");
    const u = Float64Array.from({ length: 1200 }, () => random.uniform());
    const { y } = await runOn({ y: dropout(drawing(), x, 0.4) }, { ...ones, u });
    const mean = total(y) / 1200;
    expect(Math.abs(mean - 1)).toBeLessThan(SIGMAS * Math.sqrt(0.4 / 0.6 / 1200));
    expect(new Set(y)).toEqual(new Set([0, 1 / 0.6]));
  });

  it("by stochastic depth drops whole examples", async () => {
    const u = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 0.3 : 0.9));
    const { y } = await runOn({ y: stochasticDepth(drawing(input("u", [40, 1], "f64")), x, 0.5) }, { ...ones, u });
    expect([...y]).toEqual(Array.from({ length: 1200 }, (_, i) => (Math.floor(i / 30) % 2 === 0 ? 0 : 2)));
  });

  it("changes nothing where nothing is random, and refuses a rate of 1", () => {
    expect(dropout({ uniform: () => undefined } as unknown as Scope, x, 0.5)).toBe(x);
    expect(() => dropout(drawing(), x, 1)).toThrow("a rate of dropout is 1, expected a number in [0, 1)");
  });

  it("of attention sees the weights before they are used", async () => {
    const seen: (readonly number[])[] = [];
    const dropped = <T extends { readonly shape: readonly number[] }>(weights: T): T => {
      seen.push(weights.shape);
      return weights;
    };
    const part = input("q", [2, 5, 3], "f64");
    attention(part, part, part, { dropped });
    expect(seen).toEqual([[2, 5, 5]]);
  });

  it("refuses a network that asks for other random numbers than when it was declared", () => {
    const fickle: Network = (scope, at) =>
      scope.training ? linear(scope, dropout(scope, at, 0.5), 1) : linear(scope, at, 1);
    const model = declare(fickle, [2, 3]);
    const bound = { theta: vectorInput("theta", model.parameters, "f32"), buffers: input("buffers", [1], "f32") };
    const draws = input("draws", [model.draws], "f32");
    expect(() => forward(model, input("x", [2, 3], "f32"), { ...bound, training: false, draws })).toThrow(
      "the network takes 0 random numbers, and took 6 when it was declared",
    );
  });
});

const [HIDDEN, RATE, PATH] = [4, 0.5, 0.4];
const dropping = (name: string, [rate, path]: readonly [number, number]) =>
  defineModel({
    name,
    smooth: true,
    defaultWidth: HIDDEN,
    activations: ["tanh"],
    summary: "linear, tanh, dropout, a residual branch with stochastic depth, linear",
    build:
      ({ classes }) =>
      (scope, x) => {
        const h = dropout(scope, tanh(linear(scope.at("in"), x, HIDDEN)), rate);
        return linear(
          scope.at("out"),
          add(h, stochasticDepth(scope, tanh(linear(scope.at("mid"), h, HIDDEN)), path)),
          classes,
        );
      },
  });
const registry = extended(builtIn, [dropping("dropping", [RATE, PATH]), dropping("keeping", [0, 0])]);

/** Its mean cross-entropy in float64, with masks of these random numbers; without them, none. */
function lossByHand(theta: ArrayLike<number>, { x, y }: Batch, draws?: readonly number[]): number {
  let [at, drawn] = [0, 0];
  const layer = (inputs: readonly (readonly number[])[], out: number) => {
    const width = inputs[0]!.length;
    const weight = Array.from({ length: out }, () => Array.from({ length: width }, () => theta[at++]!));
    const bias = Array.from({ length: out }, () => theta[at++]!);
    return inputs.map((row) => weight.map((w, k) => dotOf(w, row) + bias[k]!));
  };
  const factor = (rate: number) => (draws === undefined ? 1 : draws[drawn++]! >= rate ? 1 / (1 - rate) : 0);
  const rows = Array.from(y, (_, i) => Array.from(x.subarray(3 * i, 3 * i + 3)));
  const h = layer(rows, HIDDEN).map((row) => row.map((z) => Math.tanh(z) * factor(RATE)));
  const branch = layer(h, HIDDEN).map((row) => {
    const kept = factor(PATH);
    return row.map((z) => Math.tanh(z) * kept);
  });
  const logits = layer(
    h.map((row, i) => row.map((z, k) => z + branch[i]![k]!)),
    3,
  );
  const losses = logits.map((row, i) => Math.log(row.reduce((total, z) => total + Math.exp(z), 0)) - row[y[i]!]!);
  return losses.reduce((a, b) => a + b) / losses.length;
}

const drawsOf = (step: number, part: number, rows: number) => {
  const random = rng(SEED, "dropout", step, part);
  return Array.from({ length: rows * (HIDDEN + 1) }, () => Math.fround(random.uniform()));
};

const settings = (method: object, train: object = {}, model = "dropping") =>
  trainSettings(registry).check({
    seed: SEED,
    threads: 1,
    model: { name: model },
    data: { batch: ROWS, validation: 0 },
    method,
    optimizer: { lr: LR, momentum: 0, weightDecay: 0 },
    train,
  });
const sessions: Session[] = [];
const open = async (...args: Parameters<typeof settings>) => {
  const session = await openSession(problemOf(settings(...args), dataset, registry));
  sessions.push(session);
  return session;
};
const folder = mkdtempSync(join(tmpdir(), "eigensam-dropout-"));
afterAll(async () => {
  for (const session of sessions) await session.release();
  rmSync(folder, { recursive: true });
});

describe("training with dropout", () => {
  it.each([
    ["sam", 1, 1],
    ["sam", 3, 1],
    ["sam", 2, 2],
    ["sgd", 1, 1],
  ])(
    "by %s in %i micro-batches, m = %i, has one mask per step and part, at θ and θ + ε",
    async (name, accumulate, m) => {
      const method = name === "sgd" ? { name } : { name, rho: RHO, m };
      const { state, stepper } = await open(method, { accumulate });
      const parts = partsOfBatch(batch, accumulate);
      for (let step = 0; step < 2; step++) {
        const of = (some: readonly number[]) => (theta: ArrayLike<number>) =>
          some.reduce(
            (total, i) => total + lossByHand(theta, parts[i]!, drawsOf(step, i, ROWS / accumulate)) / some.length,
            0,
          );
        const groups = m === 1 ? [parts.map((_, i) => i)] : parts.map((_, i) => [i]);
        const theta = Float64Array.from(state.theta);
        const directions = groups.map((some) => {
          const g = gradientByHand(of(some), theta);
          return name === "sgd" ? g : gradientByHand(of(some), along(theta, unit(g), RHO));
        });
        const mean = theta.map((_, i) => directions.reduce((total, d) => total + d[i]! / directions.length, 0));
        const { loss } = await stepper.step(state, batch, { lr: LR });
        expect(relativeError(state.theta, along(theta, mean, -LR))).toBeLessThan(F32);
        expect(loss).toBeCloseTo(of(parts.map((_, i) => i))(theta), 5);
      }
    },
  );

  it.each([1, 2])(
    "estimates v, and looks at a step, with the masks of the step that is due, in %i parts",
    async (accumulate) => {
      const method = { name: "eigen-sam", solver: "power", iterations: 1, every: 1, hessianBn: "running" };
      const { state, stepper } = await open(method, { accumulate });
      const parts = partsOfBatch(batch, accumulate);
      state.step = 5;
      const f = (theta: ArrayLike<number>) =>
        parts.reduce(
          (total, part, i) => total + lossByHand(theta, part, drawsOf(5, i, ROWS / accumulate)) / accumulate,
          0,
        );
      const [theta, v] = [Float64Array.from(state.theta), Float64Array.from(state.v)];
      const g = gradientByHand(f, theta);
      const u = unit(theta.map((_, i) => Math.cos(i)));
      const { cosGrad } = await stepper.look(state, batch, { lr: LR }, Float32Array.from(u));
      expect(cosGrad).toBeCloseTo(cosine(g, u), 5);
      const H = (h: number) => gradientByHand(f, along(theta, v, h), 1e-4);
      const [more, less] = [H(1e-4), H(-1e-4)];
      const Hv = more.map((value, i) => (value - less[i]!) / 2e-4);
      const { rayleigh, cosGradV } = await stepper.refresh(state, batch);
      expect(Math.abs(rayleigh - dotOf(v, Hv))).toBeLessThan(TRAINER_F32);
      expect(cosGradV).toBeCloseTo(cosine(g, state.v), 4);
    },
  );

  it("scores and predicts without it, to the bit of a network that has none", async () => {
    const [own, plain] = [await open({ name: "sgd" }), await open({ name: "sgd" }, {}, "keeping")];
    const scores = await Promise.all(
      [own, plain].map(async ({ evaluator }) => [
        await evaluator.score(own.state, dataset.test!),
        await evaluator.predict(own.state, dataset.test!.x, dataset.test!.count),
      ]),
    );
    expect(scores[0]).toEqual(scores[1]);
    expect((scores[0]![0] as { loss: number }).loss).toBeCloseTo(lossByHand(own.state.theta, dataset.test!), 5);
  });

  it("is refused by the SDEs, which are of one loss", async () => {
    const config = sdeSettingsOf(registry).resolve("", ["model.name=dropping"]);
    await expect(loadProblem(config, registry)).rejects.toThrow(
      "dropping has dropout, and the equations are of one loss",
    );
  });

  it("goes on to the same bytes after a stop, and its probe drops nothing", async () => {
    const config = {
      ...settings({ name: "sam", rho: RHO }, { epochs: 2 }),
      probe: { ...settings({}).probe, at: [0], batches: 1 },
    };
    const run = async (name: string, stopAfter?: number, resume = false) => {
      const dir = join(folder, name);
      if (!resume) trainRun.create(dir, config);
      const controller = new AbortController();
      const listen = (event: { readonly event: string; readonly step?: number }) => {
        if (event.event === "step" && event.step! + 1 === stopAfter) controller.abort();
      };
      await runTraining({ config, dataset, run: dir, resume, listen, stop: controller.signal, registry });
      return dir;
    };
    const whole = await run("whole");
    await run("parts", 2);
    const parts = await run("parts", undefined, true);
    for (const file of ["metrics", "weights"] as const)
      expect(readFileSync(runFiles(parts)[file]).equals(readFileSync(runFiles(whole)[file])), file).toBe(true);
    const lines = readFileSync(runFiles(whole).metrics, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ kind }) => kind === "step")).toHaveLength(6);
    const { theta } = (await open({ name: "sam", rho: RHO })).state;
    const [measured] = fixedBatches(dataset.train as Split, ROWS, 1, rng(SEED, "probe"));
    expect(lines.find(({ kind }) => kind === "probe").loss).toBeCloseTo(lossByHand(theta, measured!), 5);
  });
});
