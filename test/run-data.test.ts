import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { loadRun } from "../src/api/load-run.ts";
import { curvatureProblem } from "../src/curvature/problem.ts";
import { runFiles } from "../src/run/files.ts";
import { datasetOf } from "../src/train/registry.ts";
import { formatOfWeights, type SavedWeights } from "../src/train/examples.ts";
import { scoreWeights } from "../src/train/restore.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig } from "../src/train/settings.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { eigensam } from "./support/cli.ts";
import { npyBytes } from "./support/npy.ts";
import { runHere, smallRun } from "./support/sde-runs.ts";

const CLASSES = 4;
let folder = "";
let run = "";

/** Pixels whose brightness is far from the middle, so that another normalization shows. */
function arrays(name: string, count: number, classes: number) {
  const random = rng(7, name);
  const x = Uint8Array.from({ length: count * 16 }, () => 200 + Math.floor(50 * random.uniform()));
  const y = Int32Array.from({ length: count }, (_, i) => i % classes);
  const [images, labels] = [join(folder, `${name}-x.npy`), join(folder, `${name}-y.npy`)];
  writeFileSync(images, npyBytes(x, [count, 1, 4, 4]));
  writeFileSync(labels, npyBytes(y, [count]));
  return { images, labels };
}

const configOf = (paths: { images: string; labels: string }, test: { images: string; labels: string }) =>
  checkConfig({
    threads: 1,
    model: { name: "mlp", width: 4, depth: 1 },
    method: { name: "sgd" },
    optimizer: { lr: 0.01 },
    data: {
      ...{ name: "npy", ...paths, testImages: test.images, testLabels: test.labels },
      ...{ batch: 8, crop: 0, flip: false, validation: 0 },
    },
    train: { epochs: 2 },
  });

async function step(config: ReturnType<typeof checkConfig>, resume: boolean, stopAfter: number) {
  const stop = new AbortController();
  const listen = (event: { readonly event: string; readonly step?: number }) => {
    if (event.event === "step" && event.step === stopAfter) stop.abort();
  };
  const dataset = await datasetOf(config);
  return runTraining({ config, dataset, run, resume, listen, stop: stop.signal });
}

const saved = (over: Partial<SavedWeights["config"]["data"]> = {}): SavedWeights => {
  const config = trainRun.readConfig(run);
  const { format, digests } = trainRun.readRecord(run)!.data;
  const others = Object.keys(over).length > 0;
  return {
    config: { ...config, data: { ...config.data, ...over } },
    path: runFiles(run).weights,
    format,
    digests: others ? undefined : digests,
  };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eigensam-data-"));
  run = join(folder, "run");
});

describe("a run on arrays of one's own", () => {
  beforeEach(async () => {
    const config = configOf(arrays("train", 32, CLASSES), arrays("test", 16, CLASSES));
    trainRun.create(run, config);
    await step(config, false, -1);
  });

  it("is scored on other arrays with fewer classes, as its own network and its own normalization have it", async () => {
    const own = await scoreWeights(saved(), "test");
    expect(own.n).toBe(16);
    // The same test examples, beside other training arrays: their statistics and classes must not matter.
    const bright = join(folder, "bright.npy");
    writeFileSync(bright, npyBytes(new Uint8Array(2 * 16).fill(3), [2, 1, 4, 4]));
    const few = arrays("few", 2, 2);
    expect((await scoreWeights(saved({ images: bright, labels: few.labels }), "test")).loss).toBe(own.loss);
    expect((await scoreWeights(saved({ testImages: few.images, testLabels: few.labels }), "test")).n).toBe(2);
    const { data } = trainRun.readRecord(run)!;
    expect(data.format).toMatchObject({ inputShape: [1, 4, 4], targets: { classes: CLASSES }, dtype: "u8" });
  });

  it("needs no training arrays to be scored, exported, measured and loaded", async () => {
    const own = await scoreWeights(saved(), "test");
    const [first] = (await (await loadRun(run)).predict(pixels)).data;
    for (const key of ["images", "labels"] as const) rmSync(trainRun.readConfig(run).data[key]!);
    expect((await scoreWeights(saved(), "test")).loss).toBe(own.loss);
    expect((await formatOfWeights(saved())).targets).toEqual({ kind: "labels", classes: CLASSES });
    const few = arrays("few", 4, 3);
    const { data, layout } = await curvatureProblem({
      ...saved(),
      arrays: { ...few, normalizeAsData: true },
      ...{ split: "train", order: "random", seed: 1, bn: "batch", dtype: "f32" },
    });
    expect([data, layout.size]).toEqual([`${few.images} (normalized by npy)`, 4 * 17 + CLASSES * 5]);
    const loaded = await loadRun(run);
    expect((await loaded.predict(pixels)).data[0]).toBe(first);
    await expect(loaded.curvature()).rejects.toThrow("give curvature({ examples })");
  });
  const pixels = { data: new Uint8Array(16).fill(210), shape: [1, 1, 4, 4] };

  it("refuses labels beyond its classes, other shapes and other examples under its paths", async () => {
    const many = arrays("many", 6, 6);
    const scored = (over: Parameters<typeof saved>[0]) => scoreWeights(saved(over), "test");
    await expect(scored({ testImages: many.images, testLabels: many.labels })).rejects.toThrow(
      /there is a label 5, but the weights of .* have 4 classes/,
    );
    const wide = join(folder, "wide.npy");
    writeFileSync(wide, npyBytes(new Uint8Array(6 * 25), [6, 1, 5, 5]));
    await expect(scored({ testImages: wide, testLabels: many.labels })).rejects.toThrow(
      /examples \[1, 5, 5\], but the network of .* takes \[1, 4, 4\]/,
    );
    arrays("test", 12, CLASSES);
    await expect(scored({})).rejects.toThrow(DataError);
    await expect(scored({})).rejects.toThrow("these are not the examples of the run of");
    // Other arrays on purpose are no mistake.
    expect((await scored({ testImages: join(folder, "test-x.npy") })).n).toBe(12);
  });

  it("has as many classes as its weights where it recorded none", async () => {
    const { config, path } = saved();
    const few = arrays("few", 2, 2);
    const bare = {
      config: { ...config, data: { ...config.data, testImages: few.images, testLabels: few.labels } },
      path,
    };
    expect((await scoreWeights(bare, "test")).n).toBe(2);
    expect((await formatOfWeights(bare)).targets).toEqual({ kind: "labels", classes: CLASSES });
  });
});

describe("a run that was stopped in an epoch", () => {
  const linesOf = () => readFileSync(runFiles(run).metrics, "utf8");
  let config: ReturnType<typeof checkConfig>;
  const changed = (name: string, count: number) => {
    arrays(name, count, CLASSES);
    return config;
  };
  beforeEach(async () => {
    config = configOf(arrays("train", 32, CLASSES), arrays("test", 16, CLASSES));
    trainRun.create(run, config);
    expect((await step(config, false, 1)).status).toBe("stopped");
  });

  it.each<[string, () => ReturnType<typeof checkConfig>, string]>([
    ["another batch", () => ({ ...config, data: { ...config.data, batch: 29 } }), "data.batch was 8, now 29"],
    ["another seed", () => ({ ...config, seed: 2 }), "seed was 1, now 2"],
    ["another method", () => checkConfig({ ...config, method: { name: "sam" } }), 'method.name was "sgd", now "sam"'],
    ["a shorter array", () => changed("train", 24), "other data"],
    ["other test examples", () => changed("test", 15), "other data"],
  ])("refuses %s, says so, and loses nothing", async (_, change, message) => {
    const lines = linesOf();
    const resumed = step(change(), true, -1);
    await expect(resumed).rejects.toThrow(ConfigError);
    await expect(resumed).rejects.toThrow(message);
    expect(linesOf()).toBe(lines);
    if (message !== "other data") expect((await step(config, true, -1)).status).toBe("done");
  });

  it("resumes with arrays that were moved", async () => {
    const moved = join(folder, "moved.npy");
    writeFileSync(moved, readFileSync(config.data.images!));
    rmSync(config.data.images!);
    expect((await step({ ...config, data: { ...config.data, images: moved } }, true, -1)).status).toBe("done");
  });
});

it("settings name data by absolute paths, from wherever they were given", () => {
  const config = configOf({ images: "a.npy", labels: "/b.npy" }, { images: "../c.npy", labels: "d.npy" });
  const { data } = config;
  expect(data.images).toBe(join(process.cwd(), "a.npy"));
  expect([data.labels, data.testImages]).toEqual(["/b.npy", join(process.cwd(), "..", "c.npy")]);
  expect("dir" in data).toBe(false);
});

it("a run of the command is scored from another folder, where arrays of the same names lie", {
  timeout: 60_000,
}, async () => {
  const [x, y] = [arrays("train", 32, CLASSES), arrays("test", 16, CLASSES)];
  const { data } = configOf(x, y);
  const path = (key: "images" | "labels" | "testImages" | "testLabels") =>
    `data.${key}=${relative(folder, data[key]!)}`;
  const settings = ["threads=1", "model.name=mlp", "model.width=4", "data.name=npy", "data.batch=8", "train.epochs=1"];
  const paths = (["images", "labels", "testImages", "testLabels"] as const).map(path);
  const trained = await eigensam(
    ["train", "--run-dir", "run", ...settings, "data.crop=0", "data.flip=false", ...paths],
    { cwd: folder },
  );
  expect(trained.status, trained.stderr).toBe(0);
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "test-x.npy"), npyBytes(new Uint8Array(16), [1, 1, 4, 4]));
  const { stdout, stderr, status } = await eigensam(["eval", "../run", "--json"], { cwd: other });
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout).n).toBe(16);
});

describe("a run of the SDE experiment that was stopped", () => {
  it("refuses other settings, and names them", { timeout: 30_000 }, async () => {
    const config = smallRun(['sde.processes=["discrete"]']);
    await runHere(run, config, (event, stop) => event.event === "measure" && event.step === 10 && stop());
    const { config: path } = runFiles(run);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace("eta = 0.1", "eta = 0.06"));
    const edited = { ...config, sde: { ...config.sde, eta: 0.06 } };
    await expect(runHere(run, edited)).rejects.toThrow("other settings: sde.eta was 0.1, now 0.06");
    writeFileSync(path, text);
    expect(await runHere(run, config)).toBe("done");
  });
});
