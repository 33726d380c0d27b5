import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../src/graph/tensor.ts";
import { scheduleFactor } from "../src/optim/schedules.ts";
import { compile } from "../src/runtime/compile.ts";
import { notesOf } from "../src/train/notes.ts";
import { datasetOf } from "../src/train/registry.ts";
import { problemOf } from "../src/train/session.ts";
import { checkConfig, configToml, resolveConfig } from "../src/train/settings.ts";
import { normalized } from "../src/train/task.ts";
import { inPackage } from "../src/util/package.ts";
import { rng } from "../src/util/rng.ts";
import { relativeError } from "./support/numbers.ts";
import { F32, F64 } from "./tolerances.ts";

const decided = {
  "method.solver": "power",
  "method.warmup": "usam",
  "method.hessianBn": "running",
  "schedule.name": "cosine-epoch",
  "data.validation": 0,
  "data.normalization": "official",
};

const value = (config: object, key: string): unknown =>
  key.split(".").reduce<unknown>((table, part) => (table as Record<string, unknown>)[part], config);

describe("method.compat=official", () => {
  it.each(["sgd", "sam", "eigen-sam"])(
    "decides for %s what the authors' code has no option for, and writes it down",
    (name) => {
      const config = resolveConfig("", ["method.compat=official", "data.name=cifar100", `method.name=${name}`]);
      for (const [key, expected] of Object.entries(decided)) expect(value(config, key), key).toBe(expected);
      expect(resolveConfig(configToml(config), [])).toEqual(config);
    },
  );

  it("leaves the pixels of other data sets as they are", () => {
    expect(resolveConfig("", ["method.compat=official"]).data).not.toHaveProperty("normalization");
  });

  it.each([
    ["method.solver", "free"],
    ["method.warmup", "sam"],
    ["method.hessianBn", "batch"],
    ["schedule.name", "cosine"],
    ["data.validation", 0.1],
    ["data.normalization", "measured"],
  ])("refuses %s=%s, from a file as well", (key, other) => {
    const [part, field] = key.split(".");
    const official = ["method.compat=official", "data.name=cifar10"];
    const message = `${key} is ${JSON.stringify(other)}, but method.compat=official sets it to`;
    expect(() => resolveConfig("", [...official, `${key}=${other}`])).toThrow(message);
    expect(() => resolveConfig(`[${part}]\n${field} = ${JSON.stringify(other)}`, official)).toThrow(message);
    expect(resolveConfig("", [...official, `${key}=${value({ ...tables(decided) }, key)}`])).toEqual(
      resolveConfig("", official),
    );
  });

  it.each(["eigen-sam", "sam"] as const)("the published run of %s has as many steps and images as theirs", (name) => {
    const file = inPackage(`configs/official-cifar100-${name}.toml`);
    const config = resolveConfig(readFileSync(file, "utf8"), []);
    expect(config).toMatchObject({
      seed: 1,
      model: { name: "resnet18", width: 64 },
      data: { batch: 256, crop: 4, flip: true, cutout: 0, validation: 0 },
      method: { name, rho: 0.1, ...(name === "eigen-sam" ? { alpha: 0.2, every: 100, iterations: 5 } : {}) },
      optimizer: { name: "sgd", lr: 0.1, momentum: 0.9, nesterov: false, weightDecay: 5e-4 },
      train: { epochs: 200, labelSmoothing: 0, clip: 0 },
    });
  });

  it.each([
    [20, true],
    [19, false],
  ])("of epochs of 20 steps and method.every=%d says that all is USAM: %s", async (every, said) => {
    const config = checkConfig({
      model: { name: "mlp", width: 2 },
      data: { batch: 500 },
      method: { every, compat: "official" },
    });
    const notes = (of: typeof config) => datasetOf(of).then((dataset) => notesOf(problemOf(of, dataset)));
    expect((await notes(config)).some((note) => /20 steps and method.every is 20: .* all are USAM/.test(note))).toBe(
      said,
    );
    const { method, ...rest } = config;
    expect(await notes(checkConfig({ ...rest, method: { name: "sam", compat: "official" } }))).toEqual([]);
  });
});

const tables = (flat: Readonly<Record<string, unknown>>): Record<string, Record<string, unknown>> => {
  const result: Record<string, Record<string, unknown>> = {};
  for (const [key, entry] of Object.entries(flat)) {
    const [part, field] = key.split(".") as [string, string];
    result[part] = { ...result[part], [field]: entry };
  }
  return result;
};

/** torch.optim.lr_scheduler.CosineAnnealingLR(T_max=5), stepped after each epoch, of a rate of 1. */
const TORCH = [1, 0.9045084971874737, 0.6545084971874737, 0.34549150281252633, 0.09549150281252633];

describe("schedule.name=cosine-epoch", () => {
  const at = (step: number, warmup = 0) =>
    scheduleFactor("cosine-epoch", { step, stepsPerEpoch: 3, epochs: 5, warmup, milestones: [], gamma: 0.1 });

  it("has PyTorch's rate in every step of an epoch", () => {
    const rates = Array.from({ length: 15 }, (_, step) => at(step));
    expect(
      relativeError(
        rates,
        TORCH.flatMap((rate) => [rate, rate, rate]),
      ),
    ).toBeLessThan(F64);
  });

  it("begins at 1 after a warm-up, and covers what is left", () => {
    const rates = Array.from({ length: 15 }, (_, step) => at(step, 1));
    const cosine = [0, 1, 2, 3].flatMap((over) => new Array<number>(3).fill((1 + Math.cos((Math.PI * over) / 4)) / 2));
    expect(relativeError(rates, [1 / 3, 2 / 3, 1, ...cosine])).toBeLessThan(F64);
  });
});

/** Published constants, written here again: of all training images, and those of the authors' code. */
const constants = [
  ["cifar10", "measured", [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]],
  ["cifar10", "official", [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]],
  ["cifar100", "measured", [0.5071, 0.4865, 0.4409], [0.2673, 0.2564, 0.2762]],
  ["cifar100", "official", [0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761]],
  ["svhn", "measured", [0.4377, 0.4438, 0.4728], [0.198, 0.201, 0.197]],
] as const;

/** A folder with a few images in each of the set's files. */
function folderOf(name: "cifar10" | "cifar100" | "svhn"): string {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-colours-"));
  const random = rng(1, "colours", name);
  const records = (labelBytes: number) =>
    Uint8Array.from({ length: 2 * (labelBytes + 3072) }, (_, i) =>
      i % (labelBytes + 3072) < labelBytes ? 1 : 256 * random.uniform(),
    );
  if (name === "cifar10")
    for (const file of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat("test_batch.bin"))
      writeFileSync(join(folder, file), records(1));
  if (name === "cifar100") for (const file of ["train.bin", "test.bin"]) writeFileSync(join(folder, file), records(2));
  if (name === "svhn")
    for (const part of ["train", "test"])
      writeFileSync(join(folder, `${part}_32x32.mat`), readFileSync(new URL("golden/svhn.mat", import.meta.url)));
  return folder;
}

describe("normalization of colours", () => {
  it.each(constants)("%s, %s: (pixel/255 − mean)/std of each channel", async (name, normalization, mean, std) => {
    const dir = folderOf(name);
    const config = checkConfig({
      model: { name: "mlp", width: 2 },
      data: { name, dir, normalization, batch: 1, validation: 0 },
    });
    const { task, train } = problemOf(config, await datasetOf(config));
    if (!("count" in train)) throw new Error("not in memory");
    const shape = [train.count, 3, 32, 32];
    const graph = await compile(
      ({ x }: { readonly x: Tensor }) => ({ y: normalized(x, task.format) }),
      { x: { shape, dtype: "u8" } },
      { threads: 1 },
    );
    const { y } = await graph.run({ x: train.x });
    await graph.release();
    const expected = Float64Array.from(train.x, (pixel, i) => {
      const channel = Math.floor(i / 1024) % 3;
      return (pixel / 255 - mean[channel]!) / std[channel]!;
    });
    expect(relativeError(y as Float32Array, expected)).toBeLessThan(F32);
  });

  it("the authors' is refused for data that their code does not read", async () => {
    await expect(datasetOf(checkConfig({ data: { normalization: "official" } }))).rejects.toThrow(
      "data.normalization is official, but the authors' code does not read fashion-mini",
    );
  });
});
