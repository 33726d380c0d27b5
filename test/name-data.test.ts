import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { measureCurvature } from "../src/api/measure.ts";
import { exportModel } from "../src/cli/commands/export.ts";
import { weightsSource, type WeightsOptions } from "../src/cli/train/weights-source.ts";
import { datasets } from "../src/data/index.ts";
import type { ImageDataset, ImageSplit } from "../src/data/dataset.ts";
import type { SplitName } from "../src/data/digest.ts";
import { runFiles } from "../src/run/files.ts";
import { examplesOf } from "../src/train/examples.ts";
import { scoreWeights } from "../src/train/restore.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig } from "../src/train/settings.ts";
import { eigensam } from "./support/cli.ts";
import { npyBytes } from "./support/npy.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-name-data-"));
const at = (name: string) => join(folder, name);
const run = at("run");
const bare = at("bare");
const weights = join(run, "weights.safetensors");
const FILE = { model: "mlp", set: ["model.width=8", "threads=1", "data.batch=512"] } as const;
const OWN = { images: at("x.npy"), labels: at("y.npy") };
let shipped: ImageDataset;

function write(suffix: string, { x, y, count }: ImageSplit): void {
  writeFileSync(at(`x${suffix}.npy`), npyBytes(x, [count, 1, 28, 28]));
  writeFileSync(at(`y${suffix}.npy`), npyBytes(y, [count]));
}

async function trained(path: string, data: object): Promise<void> {
  const config = checkConfig({
    threads: 1,
    seed: 5,
    model: { name: "mlp", width: 8 },
    method: { name: "sgd" },
    // So large a rate that the best epoch is not the last.
    optimizer: { lr: 0.3 },
    data: { batch: 512, crop: 0, flip: false, ...data },
    train: { epochs: 4 },
  });
  trainRun.create(path, config);
  const dataset = await datasets[config.data.name as "npy"]!.load(config.data);
  await runTraining({
    config,
    dataset,
    run: path,
    resume: false,
    listen: () => {},
    stop: new AbortController().signal,
  });
}

beforeAll(async () => {
  shipped = (await datasets["fashion-mini"].load({})) as ImageDataset;
  const { x, y } = shipped.train;
  write("", shipped.test);
  write("-few", { x: x.subarray(0, 784 * 600), y: y.subarray(0, 600), count: 600 });
  await trained(run, { name: "fashion-mini", validation: 0.2 });
  const arrays = { images: at("x-few.npy"), labels: at("y-few.npy") };
  await trained(bare, {
    ...{ name: "npy", ...arrays, testImages: arrays.images, testLabels: arrays.labels },
    ...{ validation: 0, batch: 200 },
  });
});

const score = async (options: WeightsOptions, part: SplitName = "test", source = run) =>
  scoreWeights(await weightsSource(options, [source]), part);
const epochs = () => trainRun.readMetrics(run).filter((line) => line.kind === "epoch");
const only = ({ loss, accuracy }: { readonly loss: number; readonly accuracy?: number | undefined }) => ({
  loss,
  accuracy,
});

/** Each picture's first pixels, which tell most apart. */
const picturesOf = (x: ArrayLike<number> & { readonly buffer: ArrayBufferLike; readonly byteOffset: number }) =>
  Array.from({ length: x.length / 784 }, (_, i) =>
    Buffer.from(x.buffer, x.byteOffset + i * 784 + 300, 30).toString("latin1"),
  );

describe("the parts of a run's data", () => {
  it("val is what it kept aside: the last and the best weights have the scores that it recorded", async () => {
    const recorded = epochs().map(({ val }) => only(val!));
    const best = recorded.reduce((a, b) => (b.accuracy! > a.accuracy! ? b : a));
    expect(best).not.toEqual(recorded.at(-1));
    const last = await score({}, "val");
    expect([only(last), last.n]).toEqual([recorded.at(-1), 2000]);
    expect(only(await score({ best: true }, "val"))).toEqual(best);
  });

  it("train is what it trained on, and no example is in both", async () => {
    const saved = await weightsSource({}, [run]);
    const [train, val] = [await examplesOf(saved, "train"), await examplesOf(saved, "val")];
    expect([train.split.count, val.split.count]).toEqual([8000, 2000]);
    const all = [train, val].flatMap(({ split }) => picturesOf(split.x)).sort();
    expect(all).toEqual(picturesOf(shipped.train.x).sort());
    expect((await score({}, "train")).n).toBe(8000);
  });

  it("is all of the training examples where nothing was kept aside, in a file of weights, or of other data", async () => {
    expect((await score({}, "train", bare)).n).toBe(600);
    expect((await score(FILE, "train", weights)).n).toBe(10_000);
    const others = ["name=npy", "images=x.npy", "labels=y.npy"].map((setting) =>
      `data.${setting}`.replace("=x", `=${folder}/x`).replace("=y", `=${folder}/y`),
    );
    expect((await score({ set: others }, "train")).n).toBe(shipped.test.count);
  });

  it("is the run's where its examples are named from another place", async () => {
    const set = ["images=x", "labels=y"].map((key) => `data.${key.replace("=", `=${folder}/`)}-few.npy`);
    expect((await score({ set }, "train", bare)).loss).toBe((await score({}, "train", bare)).loss);
    expect((await measureCurvature(run, { split: "val", batches: "all", top: 0, batch: 1000 })).n).toBe(2000);
  });
});

describe("--images and --labels", () => {
  it("of the test examples score as they do, by the run's normalization or by a named data set's", async () => {
    const own = await score({});
    expect(only(await score(OWN))).toEqual(only(own));
    const set = [...FILE.set, "data.name=fashion-mini"];
    expect(only(await score({ ...FILE, ...OWN, set }, "test", weights))).toEqual(only(own));
    const alone = await score({ ...FILE, ...OWN }, "test", weights);
    expect(alone.name).toContain("their own mean and standard deviation");
    expect(alone.loss).not.toBe(own.loss);
  });

  it("say what exported weights of a file take", async () => {
    const out = at("net.onnx");
    const lines = vi.spyOn(console, "log").mockReturnValue();
    await exportModel.run({ ...FILE, ...OWN, out, set: [...FILE.set, "data.name=fashion-mini"] }, [weights]);
    const ofRun = at("run.onnx");
    await exportModel.run({ out: ofRun }, [run]);
    expect(lines).toHaveBeenCalledTimes(2);
    lines.mockRestore();
    expect(readFileSync(out).equals(readFileSync(ofRun))).toBe(true);
  });
});

describe("is refused, with what to do:", () => {
  it.each<[string, WeightsOptions, string, SplitName, RegExp]>([
    ["val of a run that kept none", {}, bare, "val", /kept no examples for validation, data\.validation is 0/],
    ["val of a file", FILE, weights, "val", /is no run: which examples it kept for validation is not known/],
    ["val of other data", { set: ["data.name=fashion-mini"] }, bare, "val", /are not the examples of the run/],
    ["images without labels", { images: OWN.images }, run, "test", /--images was given alone/],
    ["labels without images", { ...FILE, labels: OWN.labels }, weights, "test", /--labels was given alone/],
    ["an empty path", { ...OWN, images: "" }, run, "test", /--images is empty/],
    ["a part of arrays", { ...OWN, split: "test" }, run, "test", /--split changes nothing: --images/],
    ["two namings", { ...OWN, set: ["data.name=cifar10"] }, run, "test", /--set data\.name changes nothing/],
    ["two paths", { ...OWN, set: ["data.testImages=x.npy"] }, run, "test", /--set data\.testImages changes nothing/],
    ["a network for a run", { model: "mlp" }, run, "test", /--model changes nothing: .*run knows its network/],
    ["the best of a file", { ...FILE, best: true }, weights, "test", /--best changes nothing/],
    ["a learning rate", { set: ["optimizer.lr=1"] }, run, "test", /--set optimizer\.lr changes nothing/],
    ["a seed", { set: ["seed=2"] }, run, "val", /--set seed changes nothing/],
    ["another part", { set: ["data.validation=0.5"] }, run, "val", /--set data\.validation changes nothing/],
    ["a method of a file", { ...FILE, set: ["method.rho=1"] }, weights, "test", /--set method\.rho changes nothing/],
    ["a setting there is not", { set: ["data.nam=fashion"] }, run, "test", /data\.nam/],
    ["images that are not there", { ...OWN, images: at("none.npy") }, run, "test", /none\.npy/],
  ])("%s", async (_, options, source, part, message) => {
    const refused = score(options, part, source);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toHaveProperty("hint", expect.stringMatching(/\w/));
  });

  it.each([
    ["--images", OWN],
    ["--set data.*", { set: ["data.name=cifar10"] }],
  ])("%s in the export of a run, which knows what its network takes", async (given, options) => {
    const refused = exportModel.run({ ...options, out: at("never.onnx") }, [run]);
    await expect(refused).rejects.toThrow(`export does not read ${given} here`);
  });

  it("a part kept aside by an edited seed", async () => {
    const { config } = runFiles(bare);
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace("seed = 5", "seed = 6"));
    await expect(score({}, "train", bare)).rejects.toThrow("was edited: seed was 5, now 6");
    writeFileSync(config, text);
  });
});

it("the command takes them", { timeout: 30_000 }, async () => {
  const { status, stdout, stderr } = await eigensam(["eval", run, "--split", "val", "--json"]);
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ ...epochs().at(-1)!.val, n: 2000 });
});
