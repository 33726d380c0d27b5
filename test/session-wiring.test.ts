import { describe, expect, it } from "vitest";
import { batchMaker } from "../src/data/batch-maker.ts";
import type { Dataset, Split } from "../src/data/dataset.ts";
import { compileOptions, firstState, openSession, problemOf } from "../src/train/session.ts";
import { checkConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { uniform } from "./support/numbers.ts";

const count = 12;
const inputShape = [1, 3, 4];
const images: Split = {
  x: Uint8Array.from({ length: 12 * count }, (_, i) => (7 * i + 1) % 251),
  y: Int32Array.from({ length: count }, (_, i) => i % 2),
  count,
};
const dataset: Dataset = {
  ...{ name: "drawn", inputShape, mean: [0.5], std: [0.25], train: images },
  targets: { kind: "labels", classes: 2 },
};
const configOf = (more: Record<string, object> = {}) =>
  checkConfig({
    seed: 6,
    threads: 1,
    method: { name: "sgd" },
    ...more,
    model: { name: "mlp", width: 2, depth: 1, ...more.model },
    data: { batch: 4, validation: 0, crop: 0, flip: false, ...more.data },
    train: { epochs: 3, ...more.train },
  });

describe("the batches of a session", () => {
  const off = { crop: 0, flip: false, cutout: 0 };
  it.each([
    ["as they are", off],
    ["cropped", { ...off, crop: 2 }],
    ["flipped", { ...off, flip: true }],
    ["with a hole", { ...off, cutout: 2 }],
  ])("are %s, by the seed of the settings, from where the state stands", async (_, augment) => {
    const problem = problemOf(configOf({ data: augment }), dataset);
    const session = await openSession(problem, { state: firstState(problem), from: { epoch: 1, step: 2 } });
    const make = batchMaker(images, { inputShape, batch: 4, seed: 6, augment });
    const [x, y] = [new Uint8Array(48), new Int32Array(4)];
    for (const [epoch, step] of [
      [1, 2],
      [2, 0],
      [2, 1],
      [2, 2],
    ] as const) {
      make(epoch, step, x, y);
      expect(await session.batches.next()).toEqual({ x, y });
    }
    expect(await session.batches.next()).toBeUndefined();
    expect([session.stepsPerEpoch, session.batch, session.probe]).toEqual([3, 4, undefined]);
    await session.release();
  });

  it("of features stay as they are, whatever is done to images", async () => {
    const features = { ...dataset, inputShape: [12], train: { ...images, x: Float32Array.from(images.x) } };
    const session = await openSession(problemOf(configOf({ data: { flip: true, cutout: 2 } }), features));
    const make = batchMaker(features.train, { inputShape: [12], batch: 4, seed: 6 });
    const [x, y] = [new Float32Array(48), new Int32Array(4)];
    make(0, 0, x, y);
    expect(await session.batches.next()).toEqual({ x, y });
    await session.release();
  });

  it("of a source have its own size, and give the oracle none in memory", async () => {
    const source = {
      ...{ stepsPerEpoch: 2, batch: 3, like: new Float32Array() },
      async *open(epoch: number) {
        for (const step of [0, 1]) yield { x: new Float32Array(36).fill(epoch + step / 2), y: Int32Array.of(0, 1, 0) };
      },
    };
    const streamed = { ...dataset, train: source };
    const session = await openSession(problemOf(configOf({ train: { epochs: 2 } }), streamed));
    expect([session.batch, session.stepsPerEpoch, session.model.inputShape]).toEqual([3, 2, [3, 1, 3, 4]]);
    const seen: number[] = [];
    for (let next = await session.batches.next(); next; next = await session.batches.next()) seen.push(next.x[0]!);
    expect(seen).toEqual([0, 0.5, 1, 1.5]);
    await session.release();
    const oracle = configOf({ method: { name: "eigen-sam", solver: "oracle" } });
    await expect(openSession(problemOf(oracle, streamed))).rejects.toThrow("method.solver is oracle");
    const late = configOf({ method: { name: "eigen-sam", solver: "oracle", from: 1 } });
    await expect(openSession(problemOf(late, streamed))).rejects.toThrow("method.solver is oracle");
    await expect(openSession(problemOf(configOf({ probe: { at: [1] } }), streamed))).rejects.toThrow(
      "come from a stream",
    );
  });
});

describe("the problem of a run", () => {
  it("starts its weights as the settings say, by their seed", () => {
    const [he, other] = [{ init: "he" }, { init: "xavier" }].map((model) =>
      firstState(problemOf(configOf({ model }), dataset)),
    );
    const { entries } = problemOf(configOf(), dataset).model.parameters;
    const { name, size, offset, shape } = entries[0]!;
    const random = rng(6, "theta", name);
    const drawn = Array.from({ length: size }, () => Math.fround(Math.sqrt(2 / shape[1]!) * random.normal()));
    expect([...he!.theta.subarray(offset, offset + size)]).toEqual(drawn);
    expect(other!.theta).not.toEqual(he!.theta);
  });

  it("has the examples that the settings part, and refuses batches larger than they are", () => {
    const { train, val } = problemOf(configOf({ data: { validation: 0.25 } }), dataset);
    expect([(train as Split).count, val!.count]).toEqual([9, 3]);
    expect(() => problemOf(configOf({ data: { batch: 13 } }), dataset)).toThrow("data.batch is 13");
    expect(problemOf(configOf({ data: { batch: 12 } }), dataset).batch).toBe(12);
  });

  it.each(["train", "val", "test"] as const)("has %s targets within what its loss takes", (part) => {
    const values = (first: number): Split => ({
      ...images,
      y: Float32Array.from([first, 0, 1, ...uniform(rng(1, "y"), count - 3, 0, 1)]),
    });
    const of = (first: number) => () =>
      problemOf(configOf({ train: { loss: "binary-cross-entropy" } }), {
        ...{
          ...dataset,
          targets: { kind: "values", shape: [1] },
          train: values(0.5),
          val: values(0.5),
          test: values(0.5),
        },
        [part]: values(first),
      } as Dataset);
    expect(of(0.5)).not.toThrow();
    for (const wrong of [-0.25, 1.25, Number.NaN])
      expect(of(wrong)).toThrow(`${part} targets: element 0 is ${wrong}, but loss binary-cross-entropy takes 0 to 1`);
  });

  it("leaves the number of threads to ONNX Runtime where it is 0", () => {
    expect(compileOptions({ device: "cpu", threads: 0 })).toEqual({ device: "cpu" });
    expect(compileOptions({ device: "cpu", threads: 2 })).toEqual({ device: "cpu", threads: 2 });
  });
});
