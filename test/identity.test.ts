import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../src/data/dataset.ts";
import { loadDataset } from "../src/data/index.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import type { TrainConfig } from "../src/train/config.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig, configToml } from "../src/train/settings.ts";
import { ConfigError } from "../src/util/errors.ts";

const config = checkConfig({
  threads: 1,
  model: { name: "mlp", width: 3 },
  data: { batch: 500, crop: 0, flip: false },
  method: { name: "sam", rho: 0.05 },
});

/** Trains for a step, or on from it; stops after the next. */
async function step(run: string, own: TrainConfig, dataset: Dataset, resume: boolean) {
  const controller = new AbortController();
  return runTraining({
    config: own,
    dataset,
    run,
    resume,
    listen: ({ event }) => event === "step" && controller.abort(),
    stop: controller.signal,
  });
}

async function begun() {
  const dataset = await loadDataset("fashion-mini");
  const run = join(mkdtempSync(join(tmpdir(), "eigensam-identity-")), "run");
  trainRun.create(run, config);
  await step(run, config, dataset, false);
  return { run, dataset };
}

describe("a run that was begun", () => {
  it("resumes with other folders and other checkpoints, which change no result", async () => {
    const { run, dataset } = await begun();
    const own = checkConfig({ ...config, data: { ...config.data, dir: "elsewhere" }, train: { checkpointEvery: 3 } });
    expect((await step(run, own, dataset, true)).status).toBe("stopped");
  });

  it("refuses other settings, and names them", async () => {
    const { run, dataset } = await begun();
    const own = checkConfig({ ...config, seed: 2, optimizer: { lr: 0.2 } });
    const resumed = step(run, own, dataset, true);
    await expect(resumed).rejects.toThrow(ConfigError);
    await expect(resumed).rejects.toThrow(/other settings: seed was 1, now 2; optimizer\.lr was 0\.1, now 0\.2\n/);
  });

  it.each([
    ["a wider one of the same kind", { name: "mlp", width: 4 }, /model\.width was 3, now 4/],
    ["another kind", { name: "cnn6", width: 4 }, /model\.name was "mlp", now "cnn6"/],
  ] as const)("refuses another network that was edited into its settings: %s", async (_, model, message) => {
    const { run, dataset } = await begun();
    writeFileSync(runFiles(run).config, configToml(checkConfig({ ...config, model })));
    const edited = trainRun.readConfig(run);
    expect(edited.model).toMatchObject(model);
    const before = readFileSync(checkpointsOf(run).at(-1)!);
    const resumed = step(run, edited, dataset, true);
    await expect(resumed).rejects.toThrow(ConfigError);
    await expect(resumed).rejects.toThrow(message);
    expect(readFileSync(checkpointsOf(run).at(-1)!).equals(before)).toBe(true);
    // Put back, it goes on.
    writeFileSync(runFiles(run).config, configToml(config));
    expect((await step(run, trainRun.readConfig(run), dataset, true)).status).toBe("stopped");
  });

  it("refuses other data of the same size, be it one pixel", async () => {
    const { run, dataset } = await begun();
    const x = Uint8Array.from(dataset.train.x);
    x[12_345]! ^= 1;
    const other = { ...dataset, train: { ...dataset.train, x } };
    await expect(step(run, config, other, true)).rejects.toThrow(`${run} was begun with other data`);
  });

  it("refuses to be written twice at a time by one process", async () => {
    const { run, dataset } = await begun();
    const [first, second] = await Promise.allSettled([
      step(run, config, dataset, true),
      step(run, config, dataset, true),
    ]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
    expect((second as PromiseRejectedResult).reason.message).toContain("is in use by this process already");
  });
});
