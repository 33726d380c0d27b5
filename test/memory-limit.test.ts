import { describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import { dot, grad, hessianVectorProduct } from "../src/graph/grad.ts";
import { multiplicationsOf } from "../src/graph/multiplications.ts";
import { add, mul, tanh } from "../src/graph/ops/elementwise.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import { inSegments } from "../src/graph/segments.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { namedModel } from "../src/models/index.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import { losses } from "../src/nn/losses.ts";
import { declare, forward, type Network, vectorLength } from "../src/nn/scope.ts";
import { unit } from "../src/optim/vector.ts";
import { compile } from "../src/runtime/compile.ts";
import { memoryOf } from "../src/runtime/memory.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { withinLimit } from "../src/train/recompute.ts";
import { ConfigError } from "../src/util/errors.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { relativeError } from "./support/numbers.ts";
import { F32 } from "./tolerances.ts";

/** Each process trains for half a minute: `EIGENSAM_SLOW=1 npm test`, as CI does. */
const SLOW = process.env.EIGENSAM_SLOW === "1";
const MIB = 2 ** 20;

/** Numbers without a pattern, in [-1, 1). */
const numbers = (n: number, seed = 1) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin((i + 1) * (12.9898 + seed)));

/** SAM's gradient and a step of it, as functions of the number of segments. */
function samOf(network: Network, shape: readonly number[]) {
  const model = declare(network, shape);
  const [d, rows] = [vectorLength(model.parameters), shape[0]!];
  const spec = {
    theta: { shape: [d] },
    v: { shape: [d] },
    buffers: { shape: [vectorLength(model.buffers)] },
    x: { shape },
    y: { shape: [rows], dtype: "i32" },
    draws: { shape: [Math.max(1, model.draws)] },
  } as const;
  const lossOf =
    ({ x, y, buffers, draws }: Record<keyof typeof spec, Tensor>, segments: number) =>
    (theta: Tensor) => {
      const given = model.draws === 0 ? {} : { draws };
      const f = (at: Tensor) =>
        losses["cross-entropy"].mean(forward(model, x, { theta: at, buffers, training: true, ...given }).logits, y, {
          labelSmoothing: 0,
        });
      return inSegments(segments, f)(theta);
    };
  const sam = (inputs: Record<keyof typeof spec, Tensor>, segments: number) => {
    const f = lossOf(inputs, segments);
    const at = add(inputs.theta, mul(0.05, unit(grad(f(inputs.theta), inputs.theta))));
    // All inputs are read, so that both have the same.
    const unused = mul(0, add(dot(inputs.v, inputs.v), mul(dot(inputs.buffers, inputs.buffers), inputs.draws)));
    return { g: grad(f(at), at), loss: f(inputs.theta), unused };
  };
  const values = {
    theta: numbers(d).map((value) => 0.3 * value),
    v: numbers(d, 2),
    buffers: numbers(spec.buffers.shape[0]!).map(Math.abs),
    x: numbers(shape.reduce((a, b) => a * b)),
    y: Int32Array.from({ length: rows }, (_, i) => (i * i) % 3),
    draws: numbers(spec.draws.shape[0]!).map(Math.abs),
  };
  return { spec, lossOf, sam, values };
}

const block: (name: string) => Network = (name) => (scope, x) =>
  add(x, tanh(batchNorm(scope.at(`${name}.bn`), linear(scope.at(name), x, 64))));
const deep: Network = (scope, x) =>
  linear(
    scope.at("out"),
    Array.from({ length: 12 }, (_, i) => block(`block${i}`)).reduce(
      (at, next) => next(scope, at),
      linear(scope.at("in"), x, 64),
    ),
    3,
  );

const cases: readonly [string, Network, readonly number[]][] = [
  ["blocks with batch norm", deep, [256, 5]],
  ["resnet18", namedModel("resnet18", { classes: 3, width: 4 }), [4, 3, 16, 16]],
  [
    "vit with dropout",
    namedModel("vit", { classes: 3, width: 16, heads: 2, depth: 3, patch: 4, dropout: 0.2, dropPath: 0.3 }),
    [4, 3, 8, 8],
  ],
];

describe("a gradient that computes the pass again", () => {
  it.each(cases)("has the same bits: %s", async (_, network, shape) => {
    const { spec, sam, values } = samOf(network, shape);
    const run = async (segments: number) => {
      const f = await compile((inputs) => sam(inputs, segments), spec, { threads: 1 });
      const found = await f.run(values);
      await f.release();
      return { ...found, nodes: f.stats.nodes };
    };
    const plain = await run(1);
    expect(plain.g.some((value) => value !== 0)).toBe(true);
    const again = await run(3);
    expect(again.nodes).toBeGreaterThan(plain.nodes);
    expect(Buffer.from(again.g.buffer).equals(Buffer.from(plain.g.buffer))).toBe(true);
    expect(again.loss).toEqual(plain.loss);
  });

  it("takes less memory and more multiplications, as far as there are blocks", async () => {
    const { spec, sam } = samOf(deep, [256, 5]);
    const inputs = Object.fromEntries(
      Object.entries(spec).map(([name, one]) => [name, input(name, one.shape, "dtype" in one ? one.dtype : "f32")]),
    ) as Record<keyof typeof spec, Tensor>;
    const of = async (segments: number) => {
      const outputs = sam(inputs, segments);
      return { bytes: (await memoryOf(outputs, {})).values, work: multiplicationsOf(Object.values(outputs)) };
    };
    const [one, two, four] = [await of(1), await of(2), await of(4)];
    // A pass is a third of a gradient's work: half of it again is a sixth more, and three quarters a quarter.
    expect(two.work / one.work).toBeCloseTo(1 + 1 / 6, 1);
    expect(four.work / one.work).toBeCloseTo(1 + 1 / 4, 1);
    expect(two.bytes).toBeLessThan(0.65 * one.bytes);
    expect(four.bytes).toBeLessThan(0.45 * one.bytes);
  });

  it("differentiates again", async () => {
    const { spec, lossOf, values } = samOf(deep, [6, 5]);
    const product = async (segments: number) => {
      const f = await compile(
        (inputs) => {
          const { theta, v, draws } = inputs;
          const along = hessianVectorProduct(lossOf(inputs, segments)(theta), theta, v);
          return { along, unused: mul(0, draws) };
        },
        spec,
        { threads: 1 },
      );
      const { along } = await f.run(values);
      await f.release();
      return along;
    };
    expect(relativeError(await product(3), await product(1))).toBeLessThan(F32);
  });

  it("leaves a function alone whose pass is one block", async () => {
    const f = await compile(({ x }) => ({ g: grad(inSegments(4, (at) => dot(at, mul(at, constant(2, [3]))))(x), x) }), {
      x: { shape: [3] },
    });
    expect([...(await f.run({ x: [1, 2, 3] })).g]).toEqual([4, 8, 12]);
    await f.release();
  });
});

describe("a limit of memory", () => {
  const { spec, sam } = samOf(deep, [256, 5]);
  const kind = { name: "a step", shrinks: true };
  const within = (limit: number | undefined, own = kind) =>
    withinLimit((inputs, segments) => sam(inputs as Parameters<typeof sam>[0], segments), spec, {
      ...{ limit, kind: own },
      options: { threads: 1 },
    });

  it("takes as few segments as fit, and leaves to buffers what is left", async () => {
    expect(await within(undefined)).toEqual({ segments: 1, options: { threads: 1 } });
    const wide = await within(1000);
    expect(wide).toMatchObject({ segments: 1, options: { bufferBudget: 128e6 } });
    const { bytes } = wide.recomputation!;
    const just = await within(bytes / MIB);
    expect(just).toMatchObject({ segments: 1, options: { bufferBudget: 0 } });
    const tight = await within((bytes - 1) / MIB);
    expect(tight.segments).toBe(2);
    const found = tight.recomputation!;
    expect(found.plainBytes).toBe(bytes);
    expect(found.bytes + tight.options.bufferBudget!).toBeCloseTo(bytes - 1, 3);
    expect(found.multiplications).toBeGreaterThan(found.plainMultiplications);
  });

  it("that cannot be kept is refused with the least that can, which then can", async () => {
    let least = 0;
    try {
      await within(0.5);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as Error).message).toMatch(/train\.memoryLimit is 0\.5 MiB, but a step takes \d+ MiB at least/);
      ({ least } = (error as ConfigError).data as { least: number });
    }
    expect((await within(least)).segments).toBeGreaterThan(1);
    await expect(within(least - 1)).rejects.toThrow(ConfigError);
    await expect(within(least, { name: "an estimate of v", shrinks: false })).rejects.toThrow(/an estimate of v takes/);
  });

  const count = 512;
  const data = {
    train: {
      x: { data: numbers(5 * count), shape: [count, 5] },
      y: { data: Int32Array.from({ length: count }, (_, i) => (i * i) % 3), shape: [count] },
    },
  } as const;
  const options = { data, model: deep, method: "sam", epochs: 1, batch: 256, threads: 1, seed: 2 } as const;
  const trained = async (more: Partial<Parameters<typeof train>[0]>) => {
    const events: TrainEvent[] = [];
    const run = await train({ ...options, ...more }, { onEvent: (event) => events.push(event) }).done;
    await run.release();
    const notes = events.flatMap((event) => (event.event === "start" ? event.notes : []));
    const steps = events.flatMap((event) => (event.event === "step" ? [event.loss, event.metrics] : []));
    return { weights: run.weights(), steps, note: notes.find((note) => note.includes("memoryLimit")) };
  };

  it.each([{}, { accumulate: 2 }] as const)(
    "changes no bit of a training, and says what it costs: %j",
    async (more) => {
      const [plain, limited] = [await trained(more), await trained({ ...more, memoryLimit: 3 })];
      expect(limited.weights).toEqual(plain.weights);
      expect(limited.steps).toEqual(plain.steps);
      expect(plain.note).toBeUndefined();
      expect(limited.note).toMatch(/a step takes \d+ MiB by its plan.*within train\.memoryLimit=\d+/);
    },
  );

  it("is said before the training with its cost, and refused where even that is too little", async () => {
    const { note } = await trained({ memoryLimit: 3 });
    expect(note).toMatch(
      /in place of \d+ MiB, .*: forward passes are computed again in \d+ segments, at \d+ % more multiplications/,
    );
    await expect(trained({ memoryLimit: 0.1 })).rejects.toThrow(/a step takes \d+ MiB at least/);
  });
});

it.runIf(SLOW)(
  "a process takes less memory with a limit, as predicted",
  async () => {
    const common = ["model.width=32", "data.batch=128", "threads=1", "train.epochs=1", "method.name=sam"];
    const dryRun = async (...settings: string[]) => {
      const { status, stdout, stderr } = await eigensam(["train", "--dry-run", "--json", ...common, ...settings]);
      expect(status, stderr).toBe(0);
      return jsonLines(stdout)[0] as { memoryMiB: number; recomputation: { bytes: number; plainBytes: number } };
    };
    const [plain, limited] = [await dryRun(), await dryRun("train.memoryLimit=250")];
    const saved = (limited.recomputation.plainBytes - limited.recomputation.bytes) / MIB;
    expect(plain.memoryMiB - limited.memoryMiB).toBeGreaterThan(0.7 * saved);
  },
  600_000,
);
