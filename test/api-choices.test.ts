import { describe, expect, it } from "vitest";
import { type Dataset, defineDataset, defineModel, losses, optimizerNames } from "../src/index.ts";
import { train } from "../src/node.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import type { NamedMethod } from "../src/api/options.ts";
import { oneLinear, regressionData } from "./support/linear.ts";

const { x, y } = regressionData(16, 2);
const base = { method: "sgd", epochs: 2, batch: 8, threads: 1 } as const;

it("a model, a data set and a loss by value train as the function, the arrays and the name do", async () => {
  const arrays = await train({ ...base, model: oneLinear, data: { train: { x, y } }, loss: "mse" }).done;
  const model = { use: defineModel({ name: "line", summary: "one linear layer", build: () => oneLinear }) };
  const points: Dataset = {
    ...{ name: "points", inputShape: [2], mean: [], std: [], targets: { kind: "values", shape: [1] } },
    train: { x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat()), count: 16 },
  };
  const data = { use: defineDataset({ name: "points", summary: "arrays", load: () => points }) };
  const plain = { validation: 0, augment: false } as const;
  const byValue = await train({ ...base, ...plain, model, data, loss: { use: losses.mse } }).done;
  expect(byValue.weights()).toEqual(arrays.weights());
});

describe("uint8 images", () => {
  const pixels = Uint8Array.from({ length: 8 * 16 }, (_, i) => (37 * i) % 256);
  const examples = (scaled: boolean) => ({
    x: { data: scaled ? Float32Array.from(pixels, (value) => value / 255) : pixels, shape: [8, 1, 4, 4] },
    y: { data: Int32Array.from({ length: 8 }, (_, i) => i % 2), shape: [8] },
  });
  const model = { name: "mlp", width: 4 } as const;
  const { batch: _, ...rest } = base;
  const streamed = async (scaled: boolean) =>
    train({ ...rest, model, data: { train: () => [examples(scaled)], stepsPerEpoch: 1, classes: 2 } }).done;

  it("that come in batches are divided by 255", async () => {
    const [given, scaled] = [await streamed(false), await streamed(true)];
    for (const [name, { data }] of Object.entries(given.weights()))
      for (const [i, value] of data.entries()) expect(scaled.weights()[name]?.data[i]).toBeCloseTo(value, 5);
  });

  it("and labels that come in batches need their number of classes", async () => {
    const data = { train: () => [examples(false)], stepsPerEpoch: 1 };
    await expect(train({ ...rest, model, data }).done).rejects.toThrow("data.classes is not given");
  });
});

const methods = Object.keys(trainingMethods) as NamedMethod["name"][];
describe.each(methods)("%s", (name) => {
  it.each(optimizerNames)("over %s takes finite steps, clipped and measured", async (optimizer) => {
    const classes = 3;
    const data = { train: { x, y: { data: Int32Array.from(x, (_, i) => i % classes), shape: [x.length] } } };
    const method = { name };
    const model = { name: "mlp", width: 4 } as const;
    const trained = await train({ ...base, data, model, method, optimizer, clip: 1, probe: 2 }).done;
    expect([trained.status, trained.steps]).toEqual(["done", 4]);
    expect(trained.train?.loss).toBeGreaterThan(0);
    for (const { data: numbers } of Object.values(trained.weights())) expect(numbers.every(Number.isFinite)).toBe(true);
  });
});
