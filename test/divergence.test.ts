import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import type { Dataset, Split } from "../src/data/dataset.ts";
import { studyRuns } from "../src/experiments/eigenvector/plan.ts";
import { recordOf } from "../src/experiments/study/record.ts";
import { trainOrResume } from "../src/train/run-training.ts";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { readSdeRun } from "../src/experiments/sde/report/read.ts";
import { mlp } from "../src/models/mlp.ts";
import { declare } from "../src/nn/scope.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { DivergedError } from "../src/train/failure.ts";
import { readCheckpoint } from "../src/train/checkpoint.ts";
import { problemOf } from "../src/train/session.ts";
import { runTraining } from "../src/train/run-training.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { checkConfig } from "../src/train/settings.ts";
import { readWeights } from "../src/train/weights.ts";
import { TrainingError } from "../src/util/errors.ts";
import { firstNotFinite } from "../src/util/finite.ts";
import { rng } from "../src/util/rng.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../src/util/safetensors.ts";
import { runHere, smallRun } from "./support/sde-runs.ts";

const newRun = () => join(mkdtempSync(join(tmpdir(), "eigensam-divergence-")), "run");

function noise(label: string, count: number): Split {
  const random = rng(3, label);
  const x = Float32Array.from({ length: count * 16 }, () => random.normal());
  return { x, y: Int32Array.from({ length: count }, (_, i) => i % 3), count };
}

const data: Dataset = {
  name: "npy",
  inputShape: [1, 4, 4],
  targets: { kind: "labels", classes: 3 },
  mean: [0],
  std: [1],
  train: noise("train", 32),
};
const tested: Dataset = { ...data, test: noise("test", 8) };
const validated: Dataset = { ...data, val: noise("val", 8) };

interface Case {
  readonly dataset?: Dataset;
  readonly settings?: Record<string, object>;
  /** Stops after so many steps. */
  readonly stopAfter?: number;
}

const configOf = ({ data: ofData, optimizer, train: ofTrain, ...others }: Record<string, object> = {}) =>
  checkConfig({
    threads: 1,
    model: { name: "mlp", width: 4, depth: 1 },
    method: { name: "sgd" },
    schedule: { name: "constant" },
    data: { batch: 32, crop: 0, flip: false, validation: 0, ...ofData },
    optimizer: { lr: 1e30, momentum: 0, weightDecay: 0, ...optimizer },
    train: { epochs: 1, ...ofTrain },
    ...others,
  });

async function diverged({ dataset = data, settings, stopAfter }: Case) {
  const [run, config] = [newRun(), configOf(settings)];
  trainRun.create(run, config);
  const stop = new AbortController();
  const error = await runTraining({
    config,
    dataset,
    run,
    resume: false,
    listen: (event) => event.event === "step" && event.step + 1 === stopAfter && stop.abort(),
    stop: stop.signal,
  }).then(
    () => undefined,
    (thrown) => thrown,
  );
  return { run, config, dataset, error };
}

const tensorsOf = (path: string) => Object.entries(decodeSafetensors(readFileSync(path), path).tensors);

function expectFinite(path: string) {
  for (const [name, { data: values }] of tensorsOf(path))
    expect(firstNotFinite(values as Float32Array), `${path}: ${name}`).toBe(-1);
}

/** Small steps, and then one that is too large, in the second epoch. */
const late = { schedule: { name: "step", milestones: [1], gamma: 1e32 }, optimizer: { lr: 0.01 } };

describe("a training whose last update diverged", () => {
  it.each<[string, Case, number]>([
    ["with validation examples", { dataset: validated }, 0],
    ["with test examples", { dataset: tested }, 0],
    ["without either", {}, 0],
    ["to infinite weights", { settings: { optimizer: { lr: 1e39 } } }, 0],
    ["in an epoch that is not the last", { dataset: validated, settings: { train: { epochs: 3 } } }, 0],
    ["before a checkpoint within an epoch", { settings: { data: { batch: 8 }, train: { checkpointEvery: 1 } } }, 0],
    ["before it was asked to stop", { settings: { data: { batch: 8 } }, stopAfter: 1 }, 0],
    ["after a good epoch", { dataset: validated, settings: { ...late, train: { epochs: 2 } } }, 1],
    ["by AdamW", { settings: { optimizer: { name: "adamw", lr: 1e38 } } }, 0],
  ])("%s fails, saves nothing of it and names a finite checkpoint", { timeout: 20_000 }, async (_, args, saved) => {
    const { run, config, dataset, error } = await diverged(args);
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.message).toMatch(/ is -?(NaN|Infinity) at step \d/);
    const [checkpoint] = checkpointsOf(run).slice(-1);
    expect(error.message).toContain(`the last good checkpoint is ${checkpoint}`);
    expect(trainRun.readRecord(run)).toMatchObject({ status: "failed", error: error.message });
    for (const path of checkpointsOf(run)) expectFinite(path);
    expect(existsSync(runFiles(run).weights)).toBe(false);
    if (existsSync(runFiles(run).best)) expectFinite(runFiles(run).best);
    expect(existsSync(runFiles(run).best)).toBe(saved > 0);
    expect(readCheckpoint(run, problemOf(config, dataset))?.progress.epoch).toBe(saved);
  });

  it("fails in code as well, with and without a directory", async () => {
    const x = [[0], [1], [2], [3]];
    const options = {
      data: { train: { x, y: [[1], [3], [5], [7]] } },
      model: { name: "mlp", width: 4, depth: 1 },
      method: "sgd",
      optimizer: { lr: 1e30, momentum: 0 },
      schedule: "constant",
      epochs: 1,
    } as const;
    await expect(train(options).done).rejects.toThrow(TrainingError);
    const dir = newRun();
    await expect(train({ ...options, dir }).done).rejects.toThrow("the last good checkpoint is");
    await expect(train({ ...options, dir }).done).rejects.toThrow("the last good checkpoint is");
    expectFinite(checkpointsOf(dir).at(-1)!);
  });

  it("fails where the loss overflows on held-out examples alone", async () => {
    const far = { x: [[3e38]], y: [[0]] };
    const run = train({
      data: { train: { x: [[0], [1]], y: [[0], [1]] }, val: far },
      model: { name: "mlp", width: 4, depth: 1 },
      optimizer: { lr: 0.01 },
      method: "sgd",
      epochs: 1,
    });
    await expect(run.done).rejects.toThrow("the validation loss is NaN at step 0 (epoch 1)");
  });

  it("fails in a study", { timeout: 20_000 }, async () => {
    const plan = studyRuns("smoke")[0]!;
    const run = newRun();
    // One step per epoch.
    const batch = plan.config.data.examples;
    const one = {
      ...plan,
      moments: [0],
      images: batch,
      config: checkConfig({
        ...plan.config,
        model: { name: "mlp", width: 4, depth: 1 },
        data: { ...plan.config.data, batch },
        optimizer: { lr: 1e30 },
        train: { epochs: 2 },
      }),
    };
    await expect(
      trainOrResume({ config: one.config, run, listen: () => undefined, stop: new AbortController().signal }),
    ).rejects.toSatisfy(
      (error) => error instanceof DivergedError && error.message.includes("the last good checkpoint is"),
    );
    expect(trainRun.readRecord(run)?.status).toBe("failed");
    for (const path of checkpointsOf(run)) expectFinite(path);
    // Its record can be kept, with the looks until then.
    const record = recordOf(one, run, { diverged: new Error("the loss is NaN") });
    expect(record).toMatchObject({ status: "diverged", error: "the loss is NaN", test: null });
    expect(record.probes.length).toBeLessThan(one.config.probe.at.length);
  });
});

describe("weights of a training that diverged", () => {
  const model = declare(mlp({ classes: 2, hidden: [], activation: "relu" }), [1, 2]);
  const [weight, bias] = model.parameters.entries.map(({ name }) => name) as [string, string];
  const file = (values: readonly number[]) => {
    const path = `${newRun()}.safetensors`;
    const f32 = (shape: number[], numbers: readonly number[]): SafeTensor => ({
      dtype: "F32",
      shape,
      data: Float32Array.from(numbers),
    });
    writeFileSync(path, encodeSafetensors({ [weight]: f32([2, 2], [1, 2, 3, 4]), [bias]: f32([2], values) }));
    return path;
  };
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("that hold %s are refused", (bad) => {
    expect(readWeights(file([0, 1]), model).theta).toHaveLength(6);
    expect(() => readWeights(file([0, bad]), model)).toThrow(`${bias} holds ${bad}`);
  });
});

describe("a run of the SDE experiment", () => {
  const few = 'sde.processes=["discrete","third"]';
  it("that diverges in every process fails, and names a finite checkpoint", async () => {
    const run = newRun();
    const error = await runHere(run, smallRun(["sde.eta=1e200", "sde.steps=20", "measure.every=7"])).catch((e) => e);
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.message).toContain(`the last good checkpoint is ${checkpointsOf(run).at(-1)}`);
    expect(sdeRun.readRecord(run)?.status).toBe("failed");
    for (const path of checkpointsOf(run)) expectFinite(path);
  });

  it("saves nothing of a process that diverged, at a stop right after as well, and resumes to the same bytes", async () => {
    const config = smallRun(["method.rho=1e20", "sde.steps=20", "dtype=f32", few]);
    const [whole, stopped] = [newRun(), newRun()];
    await runHere(whole, config);
    const at = readSdeRun(whole).diverged.third!;
    await runHere(stopped, config, (event, stop) => event.event === "diverged" && stop());
    expect(sdeRun.readRecord(stopped)).toMatchObject({ status: "stopped", step: at });
    const [newest] = checkpointsOf(stopped).slice(-1);
    expectFinite(newest!);
    expect(tensorsOf(newest!).map(([name]) => name)).toEqual(["discrete.theta", "discrete.v"]);
    expect(await runHere(stopped, config)).toBe("done");
    const text = (run: string) => readFileSync(runFiles(run).metrics, "utf8");
    expect(text(stopped)).toBe(text(whole));
    for (const path of checkpointsOf(whole)) expectFinite(path);
  });
});
