import { describe, expect, it } from "vitest";
import { ConfigError, compileStep, DataError, train } from "../src/node.ts";
import { oneLinear } from "./support/linear.ts";

/** As JavaScript calls it: nothing is checked before it runs. */
const untyped = (options: object) => Reflect.apply(train, undefined, [options]).done;

const data = { train: { x: [[1], [2]], y: [[1], [2]] } };
const base = { data, model: oneLinear, epochs: 1, batch: 2, threads: 1 };

describe("options that do not exist or fit", () => {
  it.each([
    [{ epoch: 3 }, "there is no option epoch", "did you mean epochs?"],
    [{ diagnosticsEvery: 5 }, "there is no option diagnosticsEvery", "it is probe now"],
    [{ method: { name: "sam", roh: 0.1 } }, /method.*roh/, "rho"],
    [{ method: "eigensam" }, /eigensam/, "eigen-sam"],
    [{ loss: "l2" }, /train\.loss.*l2/, "mse"],
    [{ method: { name: "sam", rho: -1 } }, "method.rho is -1", "at least 0"],
    [{ epochs: 0 }, /epochs/, "1"],
    [{ optimizer: { lr: Number.NaN } }, /lr/, ""],
  ])("%j", async (wrong, message, hint) => {
    const error = await untyped({ ...base, ...wrong }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(hint);
  });

  const streamed = { train: () => [data.train], stepsPerEpoch: 1 };
  it.each([
    [{ data: undefined }, "data is missing"],
    [{ model: null }, "model is null"],
    [{ data: { ...data, tset: data.train } }, "there is no option tset"],
    [{ data: { ...streamed, stepsPerEpoch: 0 } }, "data.stepsPerEpoch is 0"],
    [{ data: streamed }, "batch is given, but data.train gives batches"],
    [{ data: streamed, batch: undefined, validation: 0.1 }, "validation is given"],
    [{ data: streamed, batch: undefined, examples: 1 }, "examples is given"],
    [{ data: streamed, batch: undefined, labelNoise: 0.1 }, "labelNoise is given"],
    [{ examples: 3 }, "data.examples is 3, but there are 2"],
    [{ labelNoise: 0.1 }, "data.labelNoise is 0.1, but the targets are no labels"],
    [{ labelNoise: 1 }, "data.labelNoise is 1"],
    [{ augment: { flip: true } }, "augment is given, but inputs are [n, 1]"],
    [{ method: { name: "sam", alpha: 0.2 } }, "sam does not read method.alpha"],
    [{ optimizer: { name: "adamw", momentum: 0.9 } }, "adamw does not read optimizer.momentum"],
    [{ data: { train: () => [{ x: [[1]], y: Int32Array.of(0) }], stepsPerEpoch: 1 } }, "data"],
  ])("%j is refused", async (wrong, message) => {
    const error = await untyped({ ...base, ...wrong }).catch((cause: unknown) => cause);
    expect(error.name).toMatch(/ConfigError|DataError/);
    expect(error.message).toContain(message);
  });

  it("a target that the loss does not take", async () => {
    const loss = "binary-cross-entropy";
    await expect(untyped({ ...base, loss })).rejects.toThrow("train targets: element 1 is 2, but loss");
  });

  it("a model by a name that is misspelt", async () => {
    await expect(untyped({ data: "fashion-mini", model: "resnet19" })).rejects.toThrow(/resnet19[\s\S]*resnet18/);
  });

  it("a batch that is larger than the training examples", async () => {
    await expect(untyped({ ...base, batch: 3 })).rejects.toThrow(/data\.batch is 3, but there are 2/);
  });

  it("in compileStep", async () => {
    const inputs = { x: [2, 1], y: [2, 1] };
    const wrong = { network: oneLinear, inputs, loss: "mse", momentum: 0.9 };
    await expect(Reflect.apply(compileStep, undefined, [wrong])).rejects.toThrow("there is no option momentum");
  });
});

describe("arrays that do not fit", () => {
  const images = { data: new Uint8Array(8), shape: [2, 1, 2, 2] };
  it.each([
    [
      "a typed array without shape",
      { x: Float32Array.of(1), y: [1] },
      /data\.train\.x is Float32Array, expected nested/,
    ],
    ["too few numbers", { x: { data: Float32Array.of(1), shape: [2, 1] }, y: [1, 0] }, /data\.train\.x/],
    ["ragged rows", { x: [[1, 2], [3]], y: [0, 1] }, /data\.train\.x: rows of 2 and of 1/],
    ["no examples", { x: [], y: [] }, "data.train.x has no examples"],
    ["NaN in x", { x: [[1], [Number.NaN]], y: [0, 1] }, "data.train.x: element 1 is NaN"],
    ["a number beyond float32", { x: [[1], [1e39]], y: [0, 1] }, "data.train.x: element 1 is Infinity"],
    ["NaN in y", { x: [[1], [2]], y: [[0], [Number.NaN]] }, "data.train.y: element 1 is NaN"],
    ["fewer targets than examples", { x: [[1], [2]], y: [0.5] }, "data.train.y has shape [1], expected [2]"],
    ["no targets", { x: [[1], [2]] }, "data.train.y is missing"],
    ["no shape", { x: { data: Float32Array.of(1) }, y: [1] }, "data.train.x has data and no shape"],
  ])("%s", async (_, wrong, message) => {
    const error = await untyped({ ...base, model: "mlp", data: { train: wrong } }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
  });

  it.each([
    ["out of range", { x: [[1], [2]], y: [0, 3] }, { classes: 2 }, "element 1 is 3, expected a label 0 … 1"],
    ["no integer", { x: [[1], [2]], y: [0, 1.5] }, {}, "element 1 is 1.5, expected a label 0 … 0"],
    ["not a number", { x: [[1], [2]], y: [1, Number.NaN] }, {}, "element 1 is NaN, expected a label 0 … 1"],
  ])("a label that is %s", async (_, wrong, classes, message) => {
    const options = { ...base, model: "mlp", loss: "cross-entropy", data: { train: wrong, ...classes } };
    await expect(untyped(options)).rejects.toThrow(message);
  });

  it("parts of different shapes or types", async () => {
    const test = { x: [[1, 2]], y: [[1]] };
    await expect(untyped({ ...base, data: { ...data, test } })).rejects.toThrow(
      "data.test.x has shape [1, 2], expected [n, 1]",
    );
    const mixed = {
      classes: 2,
      train: { x: images, y: [0, 1] },
      val: { x: { ...images, data: new Float32Array(8) }, y: [0, 1] },
    };
    await expect(untyped({ ...base, model: "mlp", data: mixed })).rejects.toThrow("data.val.x is Float32Array");
  });

  it("outputs of another shape than the targets", async () => {
    const wrong = { train: { x: [[1], [2]], y: [0.5, 1] } };
    await expect(untyped({ ...base, data: wrong, loss: "mse" })).rejects.toThrow("loss mse: the network gives [2, 1]");
  });

  it("in predict and evaluate", async () => {
    const trained = await train({ ...base, data }).done;
    await expect(trained.predict([[1, 2]])).rejects.toThrow("x has shape [1, 2], expected [n, 1]");
    await expect(trained.evaluate({ x: [[1]], y: [[1], [2]] })).rejects.toThrow("examples.y has shape [2, 1]");
  });
});
