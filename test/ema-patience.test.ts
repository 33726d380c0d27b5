import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import { tanh } from "../src/graph/ops/elementwise.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import { declare, type Network } from "../src/nn/scope.ts";
import { runFiles } from "../src/run/files.ts";
import { memoryOf } from "../src/train/average.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { weightsOfRun } from "../src/train/restore.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { readWeights } from "../src/train/weights.ts";
import { jsonLines } from "./support/cli.ts";
import { decodeSafetensors } from "../src/util/safetensors.ts";
import { oneLinear, regressionData } from "./support/linear.ts";
import { relativeError } from "./support/numbers.ts";
import { F32 } from "./tolerances.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-ema-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model: Network = (scope, x) =>
  linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), x, 3))), 1);
const all = regressionData(16, 2);
const data = { train: all, val: regressionData(6, 2) };
const options = { data, model, batch: 4, epochs: 3, threads: 1, method: "sam", optimizer: { lr: 0.02 } } as const;
const layout = declare(model, [4, 2]);

/** Stops after every step, and goes on until the run is done. */
async function inPieces(own: Parameters<typeof train>[0]) {
  for (;;) {
    const controller = new AbortController();
    const onEvent = ({ event }: TrainEvent) => {
      if (event === "step") controller.abort();
    };
    const trained = await train(own, { onEvent, signal: controller.signal }).done;
    await trained.release();
    if (trained.status === "done") return;
  }
}
const bytesOf = (run: string) =>
  (["metrics", "weights", "best"] as const).map((file) => readFileSync(runFiles(run)[file]));

describe("a running mean of the weights", () => {
  it("forgets its beginning: its memory grows to train.ema", () => {
    expect([0, 1, 8, 80, 81, 1000].map((updates) => memoryOf(0.9, updates))).toEqual([
      ...[1 / 10, 2 / 11, 9 / 18, 81 / 90, 0.9, 0.9],
    ]);
  });

  it("is what is scored, kept and returned, and no step sees it", async () => {
    const dir = join(folder, "ema");
    const steps: TrainEvent[] = [];
    const listen = { onEvent: (event: TrainEvent) => steps.push(event) };
    const plain = await train(options).done;
    const averaged = await train({ ...options, ema: 0.5, dir }, listen).done;
    const losses = jsonLines(readFileSync(runFiles(dir).metrics, "utf8")).flatMap((line) =>
      line.kind === "step" ? [line.loss] : [],
    );
    const without = await train({ ...options, dir: join(folder, "plain") }).done;
    const expected = jsonLines(readFileSync(runFiles(join(folder, "plain")).metrics, "utf8"));
    expect(losses).toEqual(expected.flatMap((line) => (line.kind === "step" ? [line.loss] : [])));
    expect(losses).toHaveLength(12);
    const flat = (trained: typeof plain) => Object.values(trained.weights()).flatMap((array) => [...array.data]);
    const apart = relativeError(flat(averaged), flat(plain));
    expect(apart).toBeGreaterThan(1e-3);
    expect(apart).toBeLessThan(0.5);
    const { loss } = await averaged.evaluate(data.val);
    expect(averaged.val?.loss).toBeCloseTo(loss, 6);
    const { tensors } = decodeSafetensors(readFileSync(runFiles(dir).weights), "weights");
    for (const [name, { data }] of Object.entries(averaged.weights())) expect(tensors[name]?.data).toEqual(data);
    for (const trained of [plain, averaged, without]) await trained.release();
  });

  it("is the mean by its formula, running statistics included, and what a checkpoint is used by", async () => {
    const dir = join(folder, "checkpoints");
    const weights: { raw: number[]; mean: number[] }[] = [];
    for (let stop = 1; stop <= 4; stop++) {
      const controller = new AbortController();
      const onEvent = ({ event }: TrainEvent) => {
        if (event === "step") controller.abort();
      };
      const trained = await train({ ...options, ema: 0.15, dir }, { onEvent, signal: controller.signal }).done;
      await trained.release();
      const used = readWeights(weightsOfRun(dir), layout);
      const raw = await train({ ...options, dir: join(folder, `raw-${stop}`), epochs: 3 }, stopAfter(stop)).done;
      await raw.release();
      const there = readWeights(weightsOfRun(join(folder, `raw-${stop}`)), layout);
      weights.push({ raw: [...there.theta, ...there.buffers], mean: [...used.theta, ...used.buffers] });
    }
    for (const [t, { raw, mean }] of weights.entries()) {
      if (t === 0) continue;
      const memory = memoryOf(0.15, t);
      const expected = raw.map((value, i) => memory * weights[t - 1]!.mean[i]! + (1 - memory) * value);
      expect(relativeError(mean, expected), `step ${t}`).toBeLessThan(F32);
    }
  });

  it("resumes to the same bytes from every step", async () => {
    const own = { ...options, ema: 0.7, epochs: 2 } as const;
    const [whole, pieces] = [join(folder, "whole"), join(folder, "pieces")];
    await (await train({ ...own, dir: whole }).done).release();
    await inPieces({ ...own, dir: pieces });
    expect(bytesOf(pieces)).toEqual(bytesOf(whole));
  });
});

/** Stops a run after so many steps. */
function stopAfter(steps: number) {
  const controller = new AbortController();
  let taken = 0;
  const onEvent = ({ event }: TrainEvent) => {
    if (event === "step" && ++taken === steps) controller.abort();
  };
  return { onEvent, signal: controller.signal };
}

describe("a run with train.patience", () => {
  /** At a rate of 0 no score is better than the first. */
  const still = { ...options, model: oneLinear, epochs: 10, patience: 2, optimizer: { lr: 0 } } as const;

  it("ends after so many epochs without a better score, with its best weights kept", async () => {
    const dir = join(folder, "still");
    const trained = await train({ ...still, probe: 3, dir }).done;
    expect([trained.status, trained.steps]).toEqual(["done", 12]);
    const lines = jsonLines(readFileSync(runFiles(dir).metrics, "utf8"));
    const message =
      "2 epochs without a better validation loss than that of epoch 1: the run ends after epoch 3 (train.patience), and its best weights are kept";
    expect(lines.filter(({ kind }) => kind === "warning")).toEqual([{ kind: "warning", step: 12, epoch: 3, message }]);
    expect(lines.filter(({ kind }) => kind === "probe").map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
    expect(trainRun.readRecord(dir)).toMatchObject({ status: "done", result: { epochs: 3 } });
    expect(readFileSync(runFiles(dir).best).equals(readFileSync(runFiles(dir).weights))).toBe(true);
    await trained.release();
  });

  it("goes on while it gets better", async () => {
    const trained = await train({ ...still, epochs: 4, patience: 1, optimizer: { lr: 0.01 } }).done;
    expect(trained.steps).toBe(16);
    await trained.release();
  });

  it("resumes to the same bytes from every step, and ends where it would have", async () => {
    const [whole, pieces] = [join(folder, "still-whole"), join(folder, "still-pieces")];
    await (await train({ ...still, dir: whole }).done).release();
    await inPieces({ ...still, dir: pieces });
    expect(bytesOf(pieces)).toEqual(bytesOf(whole));
  });

  it("needs scores", async () => {
    await expect(train({ ...still, data: { train: all } }).done).rejects.toThrow(
      "train.patience is 2, but there are no validation examples to score",
    );
  });
});

describe("a run with train.validateEvery", () => {
  const often = { ...options, model: oneLinear, validateEvery: 3, optimizer: { lr: 0.05 }, seed: 2 } as const;
  const linesOf = (run: string) => jsonLines(readFileSync(runFiles(run).metrics, "utf8"));

  it("scores inside epochs as well, each time what a run of so many steps has, and keeps the best of all", async () => {
    const dir = join(folder, "often");
    await (await train({ ...often, dir }).done).release();
    const scored = linesOf(dir).flatMap(({ kind, step, val }) =>
      kind === "validation" || kind === "epoch" ? [[kind, step, (val as { loss: number }).loss] as const] : [],
    );
    // Step 12 is the end of an epoch.
    expect(scored.map(([kind, step]) => [kind, step])).toEqual([
      ...[
        ["validation", 3],
        ["epoch", 4],
        ["validation", 6],
        ["epoch", 8],
        ["validation", 9],
        ["epoch", 12],
      ],
    ]);
    for (const steps of [3, 9]) {
      const stopped = await train(often, stopAfter(steps)).done;
      const { loss } = await stopped.evaluate(data.val);
      expect(scored.find(([, step]) => step === steps)?.[2]).toBeCloseTo(loss, 6);
      await stopped.release();
    }
    const least = Math.min(...scored.map(([, , loss]) => loss));
    const best = readWeights(runFiles(dir).best, declare(oneLinear, [4, 2]));
    const bestLoss = data.val.x.reduce(
      (sum, row, i) =>
        sum + (row[0]! * best.theta[0]! + row[1]! * best.theta[1]! + best.theta[2]! - data.val.y[i]![0]!) ** 2,
      0,
    );
    expect(bestLoss / data.val.x.length).toBeCloseTo(least, 5);
  });

  it("keeps a score inside an epoch that no end of one reaches", async () => {
    const dir = join(folder, "inside");
    const schedule = { name: "constant" } as const;
    // The rate is beyond what the quadratic bears: every step is worse than the one before it.
    const trained = await train({ ...often, schedule, optimizer: { lr: 0.9 }, validateEvery: 1, epochs: 1, dir }).done;
    await trained.release();
    const scores = linesOf(dir).flatMap(({ kind, val }) =>
      kind === "validation" || kind === "epoch" ? [(val as { loss: number }).loss] : [],
    );
    expect(scores.indexOf(Math.min(...scores))).toBeLessThan(scores.length - 1);
    expect(readFileSync(runFiles(dir).best).equals(readFileSync(runFiles(dir).weights))).toBe(false);
  });

  it("resumes to the same bytes from every step", async () => {
    const [whole, pieces] = [join(folder, "often-whole"), join(folder, "often-pieces")];
    const own = { ...often, epochs: 2 };
    await (await train({ ...own, dir: whole }).done).release();
    await inPieces({ ...own, dir: pieces });
    expect(bytesOf(pieces)).toEqual(bytesOf(whole));
  });

  it("needs examples to score", async () => {
    await expect(train({ ...often, data: { train: all } }).done).rejects.toThrow(
      "train.validateEvery is 3, but there are no validation examples to score",
    );
  });
});
