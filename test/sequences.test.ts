import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRun } from "../src/api/load-run.ts";
import { compileStep } from "../src/api/step.ts";
import { train } from "../src/api/train.ts";
import { input } from "../src/graph/ops/source.ts";
import { decoder, type DecoderOptions } from "../src/models/decoder.ts";
import { mlp } from "../src/models/mlp.ts";
import { crossEntropy, mean } from "../src/nn/functions.ts";
import { losses } from "../src/nn/losses.ts";
import { declare, forward } from "../src/nn/scope.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";
import { evaluate, type GoldenModel, summaryError } from "./support/golden-models.ts";
import { dotOf, fill, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { F64, GOLDEN_F64 } from "./tolerances.ts";

const { sequences: golden } = JSON.parse(readFileSync(new URL("golden/vit.json", import.meta.url), "utf8")) as {
  readonly sequences: Omit<GoldenModel, "options"> & { readonly options: DecoderOptions };
};

describe("a decoder", () => {
  const model = declare(decoder(golden.options), golden.inputShape, "i32");
  const tokens = Int32Array.from({ length: 18 }, (_, i) => (5 * i * i + 3) % 7);
  let results: Record<string, ArrayLike<number>>;
  beforeAll(async () => {
    results = await evaluate(model, golden.options.vocabulary, { third: true, tokens });
  });

  it("has the names, shapes and order of PyTorch's modules", () => {
    expect(model.parameters.entries.map(({ name, shape }) => [name, shape])).toEqual(golden.parameters);
  });

  it("has PyTorch's logits and loss over all positions", () => {
    expect(relativeError(results.logits!, golden.logits)).toBeLessThan(GOLDEN_F64);
    expect(relativeError(results.loss!, [golden.loss])).toBeLessThan(GOLDEN_F64);
  });

  it.each([
    ["gradient", "grad", 2000],
    ["Hessian-vector product", "hvp", 3000],
    ["T[u, u]", "third", 4000],
  ] as const)("has PyTorch's %s", (what, kind, seed) => {
    const error = summaryError(model, results[kind]!, golden[kind]!, seed);
    console.info(`decoder: relative error of the ${what} ${error.toExponential(1)}`);
    expect(error).toBeLessThan(GOLDEN_F64);
  });

  it("sees no later token, to the last bit, and every earlier one", async () => {
    const { size } = model.parameters;
    const bound = { theta: input("theta", [size], "f64"), buffers: input("buffers", [1], "f64"), training: false };
    const { logits } = forward(model, input("x", [3, 6], "i32"), bound);
    const at = async (x: Int32Array) => [
      ...(await runOn({ logits }, { x, theta: fill(3, size, 0.5), buffers: [0] })).logits,
    ];
    const [before, after] = [await at(tokens), await at(tokens.with(3, (tokens[3]! + 1) % 7))];
    expect(after.slice(0, 3 * 7)).toEqual(before.slice(0, 3 * 7));
    for (let position = 3; position < 6; position++)
      expect(after.slice(position * 7, position * 7 + 7)).not.toEqual(before.slice(position * 7, position * 7 + 7));
    expect(after.slice(6 * 7)).toEqual(before.slice(6 * 7));
  });

  it.each(["f32", "i32"] as const)("refuses %s inputs of other shapes", (dtype) => {
    const build = () => declare(decoder({ vocabulary: 3 }), dtype === "f32" ? [2, 4] : [2, 4, 4], dtype);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow("a decoder reads i32 tokens [n, length]");
  });
});

describe("cross-entropy over positions", () => {
  const [logits, labels] = [input("z", [4, 3, 5], "f64"), input("y", [4, 3], "i32")];
  const [rows, flat] = [input("rows", [12, 5], "f64"), input("flat", [12], "i32")];
  const { each, correct } = losses["cross-entropy"];
  const feeds = { z: fill(1, 60, 3), rows: fill(1, 60, 3), y: fill(2, 12, 2, 2.5), flat: fill(2, 12, 2, 2.5) };
  const whole = { ...feeds, y: Int32Array.from(feeds.y), flat: Int32Array.from(feeds.flat) };

  it.each([0, 0.1])("is that of all of them in one row, with labelSmoothing %d", async (labelSmoothing) => {
    const found = await runOn(
      {
        ours: crossEntropy(logits, labels, { labelSmoothing }),
        expected: crossEntropy(rows, flat, { labelSmoothing }),
      },
      whole,
    );
    expect(relativeError(found.ours, found.expected)).toBeLessThan(F64);
  });

  it.each([0, 0.1])("is the mean over each example's, with labelSmoothing %d", async (labelSmoothing) => {
    const found = await runOn(
      {
        ours: mean(each(logits, labels, { labelSmoothing })),
        expected: crossEntropy(logits, labels, { labelSmoothing }),
      },
      whole,
    );
    expect(relativeError(found.ours, found.expected)).toBeLessThan(F64);
  });

  it("and its accuracy are means over each example's", async () => {
    const found = await runOn(
      {
        each: each(logits, labels),
        eachPosition: each(rows, flat),
        correct: correct(logits, labels),
        correctPosition: correct(rows, flat),
      },
      whole,
    );
    for (const [ours, theirs] of [
      [found.each, found.eachPosition],
      [found.correct, found.correctPosition],
    ] as const) {
      expect(ours).toHaveLength(4);
      const expected = Float64Array.from(ours, (_, n) =>
        dotOf(theirs.subarray(3 * n, 3 * n + 3), [1 / 3, 1 / 3, 1 / 3]),
      );
      expect(relativeError(ours, expected)).toBeLessThan(F64);
    }
    expect(new Set(found.correct).size).toBeGreaterThan(1);
  });
});

describe("sequences from code", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-sequences-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Each token is the one before it, plus 1, modulo 5. */
  const counting = (shift: number, count = 20) => ({
    data: Int32Array.from({ length: 4 * count }, (_, i) => (Math.floor(i / 4) + (i % 4) + shift) % 5),
    shape: [count, 4],
  });
  const data = { train: { x: counting(0), y: counting(1) }, test: { x: counting(2, 5), y: counting(3, 5) } };
  const model = decoder({ vocabulary: 5, width: 8, depth: 1, heads: 2 });
  const options = { data, model, loss: "cross-entropy", batch: 10, epochs: 25 } as const;
  const learned = { ...options, method: { name: "sam", rho: 0.01 }, optimizer: { name: "adamw", lr: 0.03 } } as const;

  it("are learned: labels [n, length] have a loss and an accuracy over all positions, and predictions one row each", async () => {
    const trained = await train({ ...learned, dir: join(folder, "run") }).done;
    expect(trained.test?.accuracy).toBe(1);
    expect(trained.test?.loss).toBeLessThan(0.2);
    const { shape, data: probabilities } = await trained.predict(counting(0, 3));
    expect(shape).toEqual([3, 4, 5]);
    expect(probabilities.subarray(0, 5).indexOf(Math.max(...probabilities.subarray(0, 5)))).toBe(1);
    const score = await trained.evaluate({ x: counting(0, 3), y: counting(0, 3) });
    expect(score.accuracy).toBe(0);
    const { eigenvalues } = await trained.curvature({ top: 1 });
    expect(eigenvalues[0]).toBeGreaterThan(0);
    await trained.release();
    const loaded = await loadRun(join(folder, "run"), { data, model });
    expect((await loaded.predict(counting(0, 3))).data).toEqual(probabilities);
    await loaded.release();
  });

  it("resume to the same bytes", async () => {
    const short = { ...learned, epochs: 3 };
    const straight = await train({ ...short, dir: join(folder, "straight") }).done;
    const dir = join(folder, "stopped");
    const stopping = train({ ...short, dir }, { onEvent: ({ event }) => event === "epoch" && stopping.stop() });
    expect((await stopping.done).status).toBe("stopped");
    expect((await train({ ...short, dir }).done).weights()).toEqual(straight.weights());
  });

  it("with a wrong token, a wrong label or labels that do not fit are refused", async () => {
    const [first, ...rest] = counting(0).data;
    const odd = (token: number) => ({ ...counting(0), data: Int32Array.of(token, ...rest) });
    expect(first).toBe(0);
    const run = (x: ReturnType<typeof odd>, y: ReturnType<typeof odd>) =>
      train({ ...learned, data: { train: { x, y }, classes: 5 }, epochs: 1 }).done;
    for (const token of [-1, 5]) {
      await expect(run(odd(token), counting(1))).rejects.toThrow(/out of data bounds/);
      await expect(run(counting(0), odd(token))).rejects.toThrow(DataError);
    }
    const flat = { data: counting(1).data.slice(0, 20), shape: [20] };
    await expect(run(counting(0), flat)).rejects.toThrow("the network gives [10, 4, 5] for 10 examples");
    const oneHot = { data: new Int32Array(100).fill(1), shape: [20, 5] };
    const wide = { ...learned, data: { train: { x: counting(0), y: oneHot } }, model: mlp({ classes: 5, hidden: [] }) };
    await expect(train(wide).done).rejects.toThrow("one-hot rows become labels by their largest column");
  });

  it("step in a loop of one's own", async () => {
    const inputs = { x: { shape: [20, 4], dtype: "i32" }, y: { shape: [20, 4], dtype: "i32" } } as const;
    const step = await compileStep({ network: model, inputs, classes: 5, method: "sgd", optimizer: "adamw" });
    const state = step.init({ seed: 1 });
    const batch = { x: counting(0).data, y: counting(1).data };
    const losses = [];
    for (let t = 0; t < 30; t++) losses.push((await step.run(state, batch, { lr: 0.03 })).metrics.loss);
    expect(losses[0]).toBeCloseTo(Math.log(5), 0);
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    await step.release();
  });
});
