import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import type { Dataset } from "../src/data/dataset.ts";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { runHere, smallRun } from "./support/sde-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-damaged-"));
const random = rng(1, "damaged");
const data: Dataset = {
  name: "fashion-mini",
  inputShape: [4],
  targets: { kind: "labels", classes: 3 },
  mean: [],
  std: [],
  train: {
    x: Float32Array.from({ length: 32 * 4 }, () => random.normal()),
    y: Int32Array.from({ length: 32 }, (_, i) => i % 3),
    count: 32,
  },
};
const configOf = (batch = 8) =>
  checkConfig({
    threads: 1,
    model: { name: "mlp", width: 3, depth: 1 },
    method: { name: "sgd" },
    optimizer: { lr: 0.01 },
    data: { batch, validation: 0 },
    train: { epochs: 3, checkpointEvery: 2 },
  });

const resumed = (run: string) =>
  runTraining({
    config: trainRun.readConfig(run),
    dataset: data,
    run,
    resume: true,
    listen: () => undefined,
    stop: new AbortController().signal,
  });

const begun = join(folder, "begun");
beforeAll(async () => {
  trainRun.create(begun, configOf());
  const stop = new AbortController();
  const listen = ({ event, ...rest }: { readonly event: string }) => {
    if (event === "step" && "step" in rest && rest.step === 6) stop.abort();
  };
  await runTraining({ config: configOf(), dataset: data, run: begun, resume: false, listen, stop: stop.signal });
  expect(checkpointsOf(begun)).toHaveLength(2);
});

/** Everything in a run directory besides claims, which tell who is at work. */
const contents = (run: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(run, { recursive: true, encoding: "utf8" })
      .filter((name) => !name.startsWith("claims"))
      .map((name) => join(run, name))
      .map((path) => [relative(run, path), statSync(path).isFile() ? readFileSync(path, "base64") : "a folder"]),
  );

type Files = ReturnType<typeof runFiles>;
const newest = (run: string) => checkpointsOf(run).at(-1)!;
const asFolder = (path: string) => {
  rmSync(path, { recursive: true });
  mkdirSync(path);
};
const asText = (path: string, text = "") => {
  rmSync(path, { recursive: true });
  writeFileSync(path, text);
};
const shortened = (path: string, by: number) => writeFileSync(path, readFileSync(path).subarray(0, -by));

describe("a run directory", () => {
  it("that is whole resumes", async () => {
    const run = join(folder, "whole");
    cpSync(begun, run, { recursive: true });
    expect((await resumed(run)).status).toBe("done");
  });

  it.each<[string, (files: Files, run: string) => void, RegExp]>([
    ["whose run.json is empty", ({ record }) => asText(record), /run\.json: got nothing, expected JSON/],
    ["whose run.json is garbage", ({ record }) => asText(record, "\0{"), /run\.json: .*expected JSON/],
    ["whose run.json is a folder", ({ record }) => asFolder(record), /./],
    ["whose config.toml is empty", ({ config }) => asText(config), /config\.toml is empty/],
    ["whose config.toml is garbage", ({ config }) => asText(config, "[[["), /config\.toml: line 1/],
    ["whose config.toml is gone", ({ config }) => rmSync(config), /is no run directory: it has no config\.toml/],
    ["whose config.toml is a folder", ({ config }) => asFolder(config), /./],
    ["without checkpoints/", ({ checkpoints }) => rmSync(checkpoints, { recursive: true }), /holds no checkpoint/],
    ["with an empty checkpoints/", ({ checkpoints }) => asFolder(checkpoints), /holds no checkpoint/],
    ["whose checkpoints/ is a file", ({ checkpoints }) => asText(checkpoints), /./],
    ["whose newest checkpoint is empty", (_, run) => asText(newest(run)), /the last good checkpoint is/],
    ["whose newest checkpoint is cut short", (_, run) => shortened(newest(run), 9), /the last good checkpoint is/],
    ["whose newest checkpoint is a folder", (_, run) => asFolder(newest(run)), /./],
    ["without metrics.jsonl", ({ metrics }) => rmSync(metrics), /metrics\.jsonl has 0 bytes, but/],
    ["whose metrics.jsonl is cut short", ({ metrics }) => shortened(metrics, 30), /metrics\.jsonl has \d+ bytes, but/],
    ["whose metrics.jsonl is a folder", ({ metrics }) => asFolder(metrics), /./],
    ["without timings.jsonl", ({ timings }) => rmSync(timings), /timings\.jsonl has 0 bytes, but/],
    ["whose claims/ is a file", ({ claims }) => asText(claims), /./],
  ])("%s is refused with one error, and loses nothing", async (what, damage, message) => {
    const run = join(folder, what.replaceAll("/", ""));
    cpSync(begun, run, { recursive: true });
    damage(runFiles(run), run);
    const before = contents(run);
    await expect((async () => resumed(run))()).rejects.toThrow(message);
    expect(contents(run)).toEqual(before);
  });
});

describe("a start that fails", () => {
  const tooLarge = {
    config: configOf(1000),
    dataset: data,
    listen: () => undefined,
    stop: new AbortController().signal,
  };

  it("leaves nothing that blocks the next one", async () => {
    const run = join(folder, "start");
    for (const round of [1, 2]) {
      trainRun.create(run, tooLarge.config);
      await expect(runTraining({ ...tooLarge, run, resume: false }), String(round)).rejects.toThrow("1000");
      expect(existsSync(run)).toBe(false);
    }
    trainRun.create(run, configOf());
    expect((await runTraining({ ...tooLarge, config: configOf(), run, resume: false })).status).toBe("done");
  });

  it("leaves what was in the folder before", async () => {
    const run = join(folder, "occupied");
    trainRun.create(run, tooLarge.config);
    writeFileSync(join(run, "letter.txt"), "");
    await expect(runTraining({ ...tooLarge, run, resume: false })).rejects.toThrow("1000");
    expect(readdirSync(run)).toEqual(["letter.txt"]);
  });

  it("leaves nothing in code either, where other options then begin", async () => {
    const dir = join(folder, "code");
    const x = [[0], [1], [2], [3]];
    const options = {
      data: { train: { x, y: [[0], [1], [0], [1]] } },
      model: { name: "mlp", width: 2 },
      epochs: 1,
      dir,
    } as const;
    await expect(train({ ...options, batch: 1000 }).done).rejects.toThrow("1000");
    expect(existsSync(dir)).toBe(false);
    expect((await train({ ...options, batch: 2 }).done).status).toBe("done");
  });

  it("of the SDE experiment gives way to other settings, and a run that has begun does not", async () => {
    const run = join(folder, "sde");
    await sdeRun.ensure(run, smallRun(["data.batch=61"]));
    await expect(runHere(run, smallRun(["data.batch=61"]))).rejects.toThrow("data.batch is 61");
    const config = smallRun(['sde.processes=["discrete"]', "sde.steps=2"]);
    await runHere(run, config);
    await expect(sdeRun.ensure(run, smallRun())).rejects.toThrow("was made with other settings");
  });
});
