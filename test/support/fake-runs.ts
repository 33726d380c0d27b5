import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainConfig } from "../../src/train/config.ts";
import { createRun, type RunRecord, runFiles, writeRecord } from "../../src/train/run-dir.ts";
import { checkConfig } from "../../src/train/settings.ts";
import { rng } from "../../src/util/rng.ts";

const STEPS = 20;

/** A run directory with made-up numbers, for tests of what reads run directories. */
export function fakeRun(parent: string, method: string, seed: number, overrides: Record<string, object> = {}): string {
  const config: TrainConfig = checkConfig({ seed, method: { name: method }, train: { epochs: 3 }, ...overrides });
  const run = join(parent, `${method}-${seed}-${Object.keys(overrides).length}`);
  createRun(run, config);
  const random = rng(seed, method);
  const files = runFiles(run);
  const level = { sgd: 1, sam: 0.9 }[method] ?? 0.8;
  const [metrics, timings]: [object[], object[]] = [[], []];
  for (let step = 0; step < 3 * STEPS; step++) {
    const epoch = 1 + Math.floor(step / STEPS);
    if (step % 15 === 0)
      metrics.push({
        kind: "refresh",
        step,
        epoch,
        eigenvalue: 20 * level + random.uniform(),
        residual: 0.1,
        cosGradV: 0.2,
      });
    const cosines = method === "sgd" ? {} : { cosEpsV: 0.3 * level + 0.1 * random.uniform() };
    metrics.push({ kind: "step", step, epoch, lr: 0.1, loss: level / epoch, gradNorm: 1, cosGradV: 0.1, ...cosines });
    if (step % STEPS !== STEPS - 1) continue;
    const score = { loss: level / epoch + 0.01 * random.uniform(), accuracy: 1 - level / 4 / epoch };
    metrics.push({ kind: "epoch", epoch, step: step + 1, train: score, val: score });
    timings.push({ kind: "epoch", epoch, seconds: 2 / level, imagesPerSecond: 1000, dataWait: 0.01, stepSeconds: 0.1 });
  }
  const test = { loss: level / 3, accuracy: 0.9 + 0.01 * random.uniform() };
  writeFileSync(
    files.metrics,
    [...metrics, { kind: "done", test }].map((line) => `${JSON.stringify(line)}\n`).join(""),
  );
  writeFileSync(files.timings, timings.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const record: RunRecord = {
    version: 1,
    config,
    model: { name: config.model.name, parameters: 12_345 },
    data: { name: config.data.name, classes: 10, train: 9000, val: 1000, test: 2000 },
    device: "cpu",
    threads: 2,
    versions: { eigensam: "0.1.0", node: "20.0.0", onnxruntime: "1.30.0" },
    status: "done",
    pid: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    result: { epochs: 3, train: test, val: test, test, seconds: 6 },
  };
  writeRecord(run, record);
  return run;
}

export const fakeRuns = (methods: readonly string[], seeds: readonly number[]): { parent: string; runs: string[] } => {
  const parent = mkdtempSync(join(tmpdir(), "eigensam-runs-"));
  return { parent, runs: methods.flatMap((method) => seeds.map((seed) => fakeRun(parent, method, seed))) };
};

/** A line that a kill cut short. */
export const cutShort = (run: string): void => appendFileSync(runFiles(run).metrics, '{"kind":"step","st');
