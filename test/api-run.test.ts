import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, expect, it } from "vitest";
import {
  loadDataset,
  loadRun,
  measureCurvature,
  readWeights,
  train,
  type TrainEvent,
  type TrainOptions,
  writeWeights,
} from "../src/node.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { eigensam } from "./support/cli.ts";
import { relativeError } from "./support/numbers.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-api-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** What a run leaves that depends on its settings alone. */
const bytesOf = (run: string) => {
  const { config, metrics, weights, best } = runFiles(run);
  return [config, metrics, weights, best].map((file) => readFileSync(file));
};

const options = {
  data: "fashion-mini",
  model: { name: "mlp", width: 8 },
  method: { name: "eigen-sam", rho: 0.05, solver: "power", every: 4 },
  optimizer: { lr: 0.05 },
  epochs: 2,
  batch: 1000,
  threads: 1,
} as const satisfies TrainOptions;

const settings = [
  ...["model.name=mlp", "model.width=8", "method.rho=0.05", "method.solver=power", "method.every=4"],
  ...["optimizer.lr=0.05", "train.epochs=2", "data.batch=1000", "threads=1"],
];

it("leaves the bytes that the command line leaves, in a directory and from memory", async () => {
  const [{ status, stderr }, inDirectory, inMemory] = await Promise.all([
    eigensam(["train", ...settings, "--run-dir", at("cli")]),
    train({ ...options, dir: at("dir") }).done,
    train(options).done,
  ]);
  expect(status, stderr).toBe(0);
  expect(inDirectory.dir).toBe(at("dir"));
  expect(inMemory.dir).toBeUndefined();
  await inMemory.save(at("saved"));
  for (const run of ["dir", "saved"]) expect(bytesOf(at(run))).toEqual(bytesOf(at("cli")));
  expect(inMemory.test).toEqual(inDirectory.test);
  expect(inMemory.status).toBe("done");
  expect(inMemory.steps).toBe(18);

  const { test } = await loadDataset("fashion-mini");
  const shape = [3, 1, 28, 28];
  const images = { data: test.x.slice(0, 3 * 784), shape };
  const prediction = await inMemory.predict(images);
  expect(prediction.shape).toEqual([3, 10]);
  for (let row = 0; row < 3; row++)
    expect(prediction.data.slice(10 * row, 10 * (row + 1)).reduce((a, b) => a + b)).toBeCloseTo(1, 6);

  const loaded = await loadRun(at("saved"));
  expect(await loaded.predict(images)).toEqual(prediction);
  expect(loaded.test).toEqual(inMemory.test);
  expect(loaded.train).toEqual(inMemory.train);
  expect(loaded.steps).toBe(18);
  expect(loaded.weights()).toEqual(inMemory.weights());

  const measured = await measureCurvature(at("saved"), { batches: 2 });
  expect(await loaded.curvature({ batches: 2 })).toEqual({ ...measured, seconds: expect.any(Number) });
  await expect(loaded.export(at("nowhere/net.onnx"))).rejects.toThrow("there is no folder");

  const { data, shape: own } = { data: test.x, shape: [test.count, ...shape.slice(1)] };
  const score = await loaded.evaluate({ x: { data, shape: own }, y: { data: test.y, shape: [test.count] } });
  expect(score).toEqual({ ...inMemory.test, n: test.count });

  const file = await inMemory.export(at("net.onnx"), { batch: 3 });
  const session = await InferenceSession.create(readFileSync(file), { logSeverityLevel: 3 });
  const given = new Tensor("uint8", images.data, shape);
  const outputs = await session.run({ [session.inputNames[0] ?? ""]: given });
  const logits = outputs[session.outputNames[0] ?? ""]?.data as Float32Array;
  const softmax = Array.from({ length: 3 }, (_, row) => {
    const powers = Array.from(logits.slice(10 * row, 10 * (row + 1)), Math.exp);
    return powers.map((power) => power / powers.reduce((a, b) => a + b));
  }).flat();
  expect(relativeError(prediction.data, softmax)).toBeLessThan(1e-6);

  const { html, figures } = await inMemory.report(at("report"));
  expect(readFileSync(html, "utf8")).toContain("Eigen-SAM");
  expect(figures.every(existsSync)).toBe(true);
  await Promise.all([inMemory, inDirectory, loaded].map(({ release }) => release()));
}, 30_000);

it("loads a killed run with the steps that its weights have taken", async () => {
  const run = at("killed");
  const model = { name: "mlp", width: 2 } as const;
  await train({ data: "fashion-mini", model, method: "sgd", epochs: 2, batch: 1500, threads: 1, dir: run }).done;
  const files = runFiles(run);
  const [older, newest] = checkpointsOf(run);
  if (older === undefined || newest === undefined) throw new Error("expected two checkpoints");
  for (const file of [newest, files.weights, files.record]) rmSync(file);
  const { status, steps, dir } = await loadRun(run);
  expect({ status, steps, dir }).toEqual({ status: "stopped", steps: 6, dir: run });
});

it("depends on the seed alone", async () => {
  const data = { train: { x: [[0], [1], [2], [3]], y: [0, 1, 0, 1] }, classes: 2 };
  const weights = async (seed: number) => {
    const { done } = train({ data, model: { name: "mlp", width: 4 }, epochs: 2, batch: 2, seed, threads: 1 });
    return (await done).weights();
  };
  const [first, again, other] = [await weights(1), await weights(1), await weights(2)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

it("saves weights as safetensors that read back, and hands out copies", async () => {
  const data = { train: { x: [[0], [1]], y: [[1], [3]] } };
  const trained = await train({ data, model: { name: "mlp", width: 2 }, epochs: 1, batch: 2, threads: 1 }).done;
  const weights = trained.weights();
  expect(readWeights(await trained.save(at("w.safetensors")))).toEqual(weights);
  writeWeights(at("again.safetensors"), weights);
  expect(readWeights(at("again.safetensors"))).toEqual(weights);
  weights["layers.0.bias"]?.data.fill(7);
  expect(trained.weights()).not.toEqual(weights);
});

it("says which run a loaded directory cannot be", async () => {
  const data = { train: { x: [[0], [1]], y: [[1], [3]] } };
  await train({ data, model: { name: "mlp", width: 2 }, epochs: 1, batch: 2, threads: 1, dir: at("arrays") }).done;
  await expect(loadRun(at("arrays"))).rejects.toThrow(
    /has the data arrays, which is not built in\n {2}hint: hand it over/,
  );
  await expect(loadRun(at("nowhere"))).rejects.toThrow("is no run directory");
});

it("saves to a new or an empty folder alone, whole or not at all", async () => {
  const given = { data: { train: { x: [[0], [1]], y: [[1], [3]] } }, model: { name: "mlp", width: 2 } } as const;
  const inMemory = await train({ ...given, epochs: 2, batch: 2, threads: 1 }).done;
  const inDirectory = await train({ ...given, epochs: 2, batch: 2, threads: 1, dir: at("origin") }).done;
  for (const [name, trained] of Object.entries({ inMemory, inDirectory })) {
    const full = at(`full-${name}`);
    mkdirSync(full);
    writeFileSync(join(full, "mine.txt"), "kept");
    await expect(trained.save(full)).rejects.toThrow("is not empty");
    await expect(trained.save(join(full, "mine.txt"))).rejects.toThrow("is a file");
    expect(readdirSync(full)).toEqual(["mine.txt"]);
    const empty = at(`empty-${name}`);
    mkdirSync(empty);
    expect(await trained.save(empty)).toBe(empty);
    const nested = join(at(`new-${name}`), "run");
    await trained.save(nested);
    for (const run of [empty, nested])
      expect(readFileSync(runFiles(run).weights)).toEqual(readFileSync(runFiles(at("origin")).weights));
  }
  await expect(inDirectory.save(join(at("origin"), "copy"))).rejects.toThrow("lies in");
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

it("keeps the time spent when a run in memory is saved", async () => {
  const controller = new AbortController();
  const onEvent = ({ event }: TrainEvent) => {
    if (event !== "step") return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    controller.abort();
  };
  const data = { train: { x: [[0], [1]], y: [[1], [3]] } };
  const half = { data, model: { name: "mlp", width: 2 }, epochs: 2, batch: 1, threads: 1 } as const;
  const stopped = await train(half, { onEvent, signal: controller.signal }).done;
  expect(stopped.status).toBe("stopped");
  await stopped.save(at("paused"));
  await train({ ...half, dir: at("paused") }).done;
  expect(JSON.parse(readFileSync(runFiles(at("paused")).record, "utf8")).result.seconds).toBeGreaterThan(0.3);
});
