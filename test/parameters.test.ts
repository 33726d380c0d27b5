import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { batchNorm, linear, mlp, type Network, resnet18, tanh } from "../src/index.ts";
import { compileStep, train, type TrainEvent } from "../src/node.ts";
import { constant } from "../src/graph/ops/source.ts";
import { fits, frozenBy } from "../src/nn/freeze.ts";
import type { Declaration } from "../src/nn/layout.ts";
import { layoutOf } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { layersOf } from "../src/optim/layers.ts";
import type { Method } from "../src/optim/method.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { hiddenWeights } from "../src/optim/optimizers/muon.ts";
import { trustRatio } from "../src/optim/optimizers/trust.ts";
import { optimizerNames } from "../src/optim/optimizers.ts";
import { asOne, parametersOf } from "../src/optim/parameters.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { builtIn } from "../src/train/registry.ts";
import { trainSettings } from "../src/train/settings.ts";
import { ConfigError } from "../src/util/errors.ts";
import { decodeSafetensors } from "../src/util/safetensors.ts";
import { regressionData } from "./support/linear.ts";
import { normOf } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));

const entriesOf = (network: Network, inputShape: readonly number[]) => declare(network, inputShape).parameters.entries;

describe("the layers of a network", () => {
  /** Layer → its parameters, or the modules of these. */
  const grouped = (entries: readonly Pick<Declaration, "name" | "role">[]) => {
    const layers = layersOf(entries);
    return Array.from({ length: 1 + Math.max(...layers) }, (_, layer) => [
      ...new Set(
        entries.filter((_, i) => layers[i] === layer).map(({ name }) => name.split(".").slice(0, 2).join(".")),
      ),
    ]);
  };

  it("of a ResNet are the stem, the blocks and the head", () => {
    const blocks = [1, 2, 3, 4].flatMap((stage) => [[`layer${stage}.0`], [`layer${stage}.1`]]);
    const stem = ["conv1.weight", "bn1.weight", "bn1.bias"];
    const found = grouped(entriesOf(resnet18({ classes: 2, width: 2 }), [2, 1, 8, 8]));
    expect(found).toEqual([stem, ...blocks, ["linear.weight", "linear.bias"]]);
  });

  it("of a vision transformer are the embedding, the blocks, and the last norm with the head", () => {
    const declared = [
      ["class_token"],
      ["conv_proj.weight", "weight"],
      ["conv_proj.bias", "bias"],
      ["encoder.pos_embedding"],
      ...[0, 1].flatMap((i) => [
        [`encoder.layers.encoder_layer_${i}.ln_1.weight`],
        [`encoder.layers.encoder_layer_${i}.self_attention.in_proj_weight`, "weight"],
        [`encoder.layers.encoder_layer_${i}.mlp.0.weight`, "weight"],
      ]),
      ["encoder.ln.weight"],
      ["heads.head.weight", "weight"],
      ["heads.head.bias", "bias"],
    ].map(([name, role]) => ({ name: name!, ...(role === undefined ? {} : { role: role as "weight" | "bias" }) }));
    expect(layersOf(declared)).toEqual([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it("of a perceptron are its layers, and decay from the last to the first", () => {
    const layout = layoutOf(entriesOf(mlp({ classes: 2, hidden: [3, 3] }), [1, 4]));
    expect(layersOf(layout.entries)).toEqual([0, 0, 1, 1, 2, 2]);
    const rates = parametersOf(layout, { layerDecay: 0.5 }).map(({ rate }) => rate);
    expect(rates).toEqual([0.25, 0.25, 0.5, 0.5, 1, 1]);
    expect(parametersOf(layout).every(({ rate, decays, trained }) => rate === 1 && decays && trained)).toBe(true);
    expect([...hiddenWeights(parametersOf(layout))].map(({ name }) => name)).toEqual(["layers.1.weight"]);
  });
});

describe("a trust ratio", () => {
  it("is one number per weight, and 1 where a norm is 0, for vectors and for what is frozen", () => {
    const layout = layoutOf(
      ["a", "b", "c", "d", "e"].map((name) => ({ name, shape: name === "d" ? [2] : [1, 2], init: { fill: 0 } })),
    );
    const tensor = (values: readonly number[]) => constant(Float64Array.from(values), [10], "f64");
    const theta = tensor([3, 4, 0, 0, 3, 4, 3, 4, 3, 4]);
    const direction = tensor([6, 8, 1, 1, 0, 0, 6, 8, 6, 8]);
    const some = parametersOf(layout, {}, new Set(["e"]));
    const ratio = trustRatio(some, theta, direction, (weight) => weight);
    expect([...evaluate([ratio], {})[0]!]).toEqual([5, 5, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect([...evaluate([trustRatio(asOne(10), theta, direction, (weight) => weight)], {})[0]!]).toEqual(
      new Array(10).fill(1),
    );
  });
});

describe("a pattern of names", () => {
  it.each([
    ["conv1.*", "conv1.weight", true],
    ["conv1.*", "conv10.weight", false],
    ["*.bias", "layers.0.bias", true],
    ["layer?.0", "layer1.0", false],
    ["*", "anything.at.all", true],
    ["a*c*e", "abcde", true],
    ["a*c*e", "abcdef", false],
    ["out.weight", "out_weight", false],
  ])("%s and %s: %s", (pattern, name, expected) => {
    expect(fits(pattern, name)).toBe(expected);
  });

  it("that fits nothing, or leaves nothing, is refused", () => {
    const layout = layoutOf(entriesOf(mlp({ classes: 2, hidden: [3] }), [1, 4]));
    expect([...frozenBy(["layers.0.*", "*.bias"], layout)].sort()).toEqual([
      ...["layers.0.bias", "layers.0.weight", "layers.1.bias"],
    ]);
    expect(() => frozenBy(["layers.1.*", "conv.*"], layout)).toThrow(
      'model.freeze has "conv.*", which fits no parameter',
    );
    expect(() => frozenBy(["layers.*"], layout)).toThrow(ConfigError);
    expect(() => frozenBy(["layers.*"], layout)).toThrow("leaves no parameter to train");
  });
});

const [COUNT, CLASSES] = [16, 3];
const { x } = regressionData(COUNT, 2);
const y = { data: Int32Array.from({ length: COUNT }, (_, i) => i % CLASSES), shape: [COUNT] };
const model: Network = (scope, inputs) => {
  const hidden = tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), inputs, 4)));
  return linear(scope.at("out"), tanh(linear(scope.at("mid"), hidden, 4)), CLASSES);
};
const options = { data: { train: { x, y } }, model, epochs: 2, batch: 4, threads: 1 } as const;
const freeze = ["in.*", "bn.*"];
const frozen = ["in.weight", "in.bias", "bn.weight", "bn.bias"];

describe("frozen parameters keep their bytes, and others do not,", async () => {
  const before = (await train({ ...options, method: "sgd", optimizer: { lr: 0, momentum: 0 } }).done).weights();
  const check = async (own: object) => {
    const after = (await train({ ...options, freeze, epochs: 1, ...own }).done).weights();
    for (const [name, { data }] of Object.entries(after))
      if (!name.includes("running"))
        expect(Buffer.from(data.buffer).equals(Buffer.from(before[name]!.data.buffer)), name).toBe(
          frozen.includes(name),
        );
  };

  it.each(Object.values<Method>(trainingMethods).map(({ name }) => name as NamedMethod["name"]))(
    "by the method %s",
    // ESAM takes three of eight examples; of four it would take one, of which batch norm has no deviation.
    (method) => check({ method, batch: 8 }),
  );

  it.each(optimizerNames)("by the optimizer %s", (name) =>
    check({ method: "sam", optimizer: { name, lr: 0.1, weightDecay: 0.1 } }),
  );
});

it("Muon without a hidden weight says so, and numbers that an optimizer does not read are named", async () => {
  const notes: string[] = [];
  const onEvent = (event: TrainEvent) => notes.push(...(event.event === "start" ? event.notes : []));
  const shallow = mlp({ classes: CLASSES, hidden: [4] });
  await train({ ...options, model: shallow, method: "sgd", optimizer: "muon", epochs: 1 }, { onEvent }).done;
  await train({ ...options, method: "sgd", optimizer: "muon", epochs: 1 }, { onEvent }).done;
  expect(notes).toEqual([expect.stringContaining("optimizer muon is AdamW at 0.015 of the rate")]);
  const { unread } = trainSettings(builtIn);
  expect(unread("", ["optimizer.vectorRate=1", "optimizer.trustCoefficient=1"])).toEqual([
    ...["optimizer.trustCoefficient", "optimizer.vectorRate"],
  ]);
  expect(unread("", ["optimizer.name=muon", "optimizer.vectorRate=1"])).toEqual([]);
  await expect(train({ ...options, optimizer: { name: "lion", eps: 1 } }).done).rejects.toThrow(
    "lion does not read optimizer.eps",
  );
});

it("running statistics of a frozen batch norm go on, as in PyTorch", async () => {
  const one = await train({ ...options, method: "sgd", freeze, epochs: 1 }).done;
  const two = await train({ ...options, method: "sgd", freeze }).done;
  expect(one.weights()["bn.running_mean"]).not.toEqual(two.weights()["bn.running_mean"]);
});

it("v and ε lie in the trained parameters alone", async () => {
  const step = await compileStep({
    ...{ network: model, inputs: { x: [4, 2], y: [4] }, classes: CLASSES, freeze, method: "eigen-sam" },
  });
  const state = step.init();
  const parts = () =>
    step.model.parameters.entries.map(({ name, offset, size }) => ({
      name,
      norm: normOf(state.v.subarray(offset, offset + size)),
    }));
  const batch = { x: Float32Array.from(x.slice(0, 4).flat()), y: y.data.slice(0, 4) };
  for (let t = 0; t < 3; t++) {
    if (step.refreshDue(state)) await step.refresh(state, batch);
    for (const { name, norm } of parts()) expect(norm > 0, `${name} at step ${t}`).toBe(!frozen.includes(name));
    expect(normOf(state.v)).toBeCloseTo(1, 5);
    await step.run(state, batch, { lr: 0.1 });
  }
  await step.release();
});

describe("settings of single parameters resume to the same bytes:", () => {
  it.each(["lion", "muon"] as const)("%s", async (name) => {
    const [whole, halves] = ["whole", "halves"].map((kind) => join(folder, `${kind}-${name}`)) as [string, string];
    const optimizer = { name, noDecay: true, layerDecay: 0.5, weightDecay: 0.1 };
    const own = { ...options, freeze: ["in.*"], method: "sam", optimizer, epochs: 1, checkpointEvery: 1 } as const;
    await train({ ...own, dir: whole }).done;
    const controller = new AbortController();
    let steps = 0;
    const onEvent = ({ event }: TrainEvent) => {
      if (event === "step" && ++steps === 2) controller.abort();
    };
    expect((await train({ ...own, dir: halves }, { onEvent, signal: controller.signal }).done).status).toBe("stopped");
    const { tensors } = decodeSafetensors(readFileSync(checkpointsOf(halves).at(-1)!), "checkpoint");
    expect(Object.keys(tensors).some((key) => key.startsWith("optimizer."))).toBe(true);
    await train({ ...own, dir: halves }).done;
    const bytes = (run: string) => [runFiles(run).metrics, runFiles(run).weights].map((file) => readFileSync(file));
    expect(bytes(halves)).toEqual(bytes(whole));
    // A run with other settings is another run.
    await expect(train({ ...own, freeze: ["mid.*"], dir: halves }).done).rejects.toThrow("other settings");
  });
});
