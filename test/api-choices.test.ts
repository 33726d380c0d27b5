import { describe, expect, it } from "vitest";
import { type Dataset, defineDataset, defineModel, losses, optimizerNames } from "../src/index.ts";
import { train } from "../src/node.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import type { NamedMethod } from "../src/api/options.ts";
import { resolveOptions } from "../src/api/resolve-options.ts";
import type { Split } from "../src/data/dataset.ts";
import { partsOf } from "../src/data/split.ts";
import { checkConfig } from "../src/train/settings.ts";
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

describe("fewer examples and wrong labels", () => {
  const [count, classes, seed] = [24, 3, 5];
  const features = Float32Array.from({ length: 2 * count }, (_, i) => ((37 * i) % 101) / 50 - 1);
  const y = Int32Array.from({ length: count }, (_, i) => i % classes);
  const arraysOf = ({ x, y, count }: Pick<Split, "x" | "y" | "count">) => ({
    x: { data: x, shape: [count, 2] },
    y: { data: y, shape: [count] },
  });
  const whole = { x: features, y, count };
  const options = { ...base, model: { name: "mlp", width: 4 }, seed } as const;

  it("train as arrays that were changed so before", async () => {
    const asked = { validation: 0.25, examples: 12, labelNoise: 0.5 };
    const { train: changed, val } = partsOf({ train: whole }, asked, seed, { kind: "labels", classes });
    expect(changed.count).toBe(12);
    const byHand = await train({ ...options, data: { train: arraysOf(changed), val: arraysOf(val!) } }).done;
    const asOptions = await train({ ...options, ...asked, data: { train: arraysOf(whole) } }).done;
    expect(asOptions.weights()).toEqual(byHand.weights());
    expect(asOptions.val).toEqual(byHand.val);
    const without = await train({ ...options, ...asked, labelNoise: 0, data: { train: arraysOf(whole) } }).done;
    expect(without.weights()).not.toEqual(byHand.weights());
  });

  it("are the settings of the command line, and make one batch where there are few", async () => {
    const asked = { examples: 12, labelNoise: 0.5 };
    const { batch: _, ...rest } = options;
    const { config } = await resolveOptions({ ...rest, ...asked, data: { train: arraysOf(whole) } });
    expect(config.data).toMatchObject({ ...asked, batch: 12 });
    const named = await resolveOptions({ ...options, ...asked, data: "fashion-mini" });
    const typed = checkConfig({ ...named.config, data: { name: "fashion-mini", batch: options.batch, ...asked } });
    expect(named.config).toEqual(typed);
  });
});

const methods = Object.keys(trainingMethods) as NamedMethod["name"][];
/** Every method over the two usual optimizers, and two methods over every other one; bSAM is one of its own. */
const basesOf = (name: NamedMethod["name"]) =>
  name === "bsam"
    ? (["sgd"] as const)
    : optimizerNames.filter((base) => base === "sgd" || base === "adamw" || name === "sam" || name === "eigen-sam");
describe.each(methods)("%s", (name) => {
  it.each(basesOf(name))("over %s takes finite steps, clipped and measured", async (optimizer) => {
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
