import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runFiles } from "../../src/run/files.ts";
import type { RunRecord } from "../../src/train/records.ts";
import { trainRun } from "../../src/train/run-dir.ts";
import { checkConfig } from "../../src/train/settings.ts";
import { rng } from "../../src/util/rng.ts";

const STEPS = 20;
const EPOCHS = 3;
const BATCH = 128;

/** What sets a made-up run apart. */
export interface FakeRun {
  readonly method?: string;
  readonly seed?: number;
  /** Tables of settings, over the defaults. */
  readonly settings?: Readonly<Record<string, object>>;
  /** Epochs after which the run stopped; all of them by default. */
  readonly epochs?: number;
  /** Whether λ₁ and alignment were measured. */
  readonly diagnostics?: boolean;
  /** Added to the test accuracy. */
  readonly better?: number;
}

/** A run directory with made-up numbers that depend on method and seed alone, for what reads run directories. */
export function fakeRun(path: string, fake: FakeRun = {}): string {
  const { method = "sam", seed = 1, settings = {}, epochs = EPOCHS, diagnostics = true, better = 0 } = fake;
  const { method: methodSettings = {}, ...others } = settings;
  const config = checkConfig({
    seed,
    train: { epochs: EPOCHS },
    data: { batch: BATCH },
    ...others,
    method: { name: method, ...methodSettings },
  });
  mkdirSync(path, { recursive: true });
  const random = rng(seed, method);
  const level = { sgd: 1, sam: 0.9 }[method] ?? 0.8;
  const [metrics, timings]: [object[], object[]] = [[], []];
  const look = (step: number, epoch: number) => {
    const eigenvalue = 20 * level + random.uniform();
    const cosGrad = 0.1 + 0.1 * random.uniform();
    return {
      ...{ kind: "probe", step, epoch, loss: level / epoch, eigenvalue, residual: 0.02 },
      ...{ eigenvalues: [eigenvalue, eigenvalue / 2], residuals: [0.02, 0.03], products: 12, batches: 4, images: 512 },
      ...(method === "eigen-sam" ? { ratio: 0.5 + 0.1 * random.uniform(), subspace: 0.6, inUse: true } : {}),
      ...(step === epochs * STEPS ? {} : { cosGrad, ...(method === "sgd" ? {} : { cosEps: cosGrad / level }) }),
    };
  };
  for (let step = 0; step < epochs * STEPS; step++) {
    const epoch = 1 + Math.floor(step / STEPS);
    if (diagnostics && step % 15 === 0) {
      // The first estimate of a run tends to follow a negative eigenvalue.
      const eigenvalue = step === 0 ? -150 : 20 * level + random.uniform();
      metrics.push({
        kind: "refresh",
        step,
        epoch,
        eigenvalue,
        residual: 0.1,
        rayleigh: 0.9 * eigenvalue,
        cosGradV: 0.2,
      });
      timings.push({ kind: "refresh", step, seconds: 0.3 });
      metrics.push(look(step, epoch));
    }
    const cosGradV = 0.1 + 0.1 * random.uniform();
    const cosines = diagnostics ? { cosGradV, ...(method === "sgd" ? {} : { cosEpsV: cosGradV / level }) } : {};
    metrics.push({
      kind: "step",
      step,
      epoch,
      lr: 0.1,
      loss: level / epoch,
      gradNorm: level * (1 + 9 / (1 + step)),
      ...cosines,
    });
    if (step % STEPS !== STEPS - 1) continue;
    const score = { loss: level / epoch + 0.01 * random.uniform(), accuracy: 1 - level / 4 / epoch };
    metrics.push({ kind: "epoch", epoch, step: step + 1, train: score, val: score });
    const imagesPerSecond = 1000 * level + 10 * random.uniform();
    const seconds = (STEPS * BATCH) / imagesPerSecond;
    timings.push({ kind: "epoch", epoch, seconds, imagesPerSecond, dataWait: 0.01, stepSeconds: 0.1 });
  }
  if (diagnostics && epochs === EPOCHS) metrics.push(look(epochs * STEPS, epochs));
  const test = { loss: level / 3, accuracy: 0.8 + better + 0.01 * random.uniform() };
  const done = epochs === EPOCHS;
  const files = runFiles(path);
  writeFileSync(files.metrics, jsonLines(done ? [...metrics, { kind: "done", test }] : metrics));
  writeFileSync(files.timings, jsonLines(timings));
  const record: Omit<RunRecord, "kind" | "version" | "pid"> = {
    config,
    model: { name: config.model.name, parameters: 12_345 },
    data: { name: config.data.name, classes: 10, train: 9000, val: 1000, test: 2000 },
    device: "cpu",
    threads: 2,
    versions: { eigensam: "0.1.0", node: "20.0.0", onnxruntime: "1.30.0" },
    status: done ? "done" : "stopped",
    startedAt: "2026-01-01T00:00:00.000Z",
    ...(done ? { result: { epochs, train: test, val: test, test, seconds: 6 } } : {}),
  };
  trainRun.writeRecord(path, record);
  return path;
}

const jsonLines = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

export const temporary = (): string => mkdtempSync(join(tmpdir(), "eigensam-runs-"));

/** A folder with a run of each method and seed. */
export function fakeRuns(methods: readonly string[], seeds: readonly number[], fake: FakeRun = {}): string {
  const folder = temporary();
  for (const method of methods)
    for (const seed of seeds) fakeRun(join(folder, `${method}-${seed}`), { ...fake, method, seed });
  return folder;
}

/** A line that a kill cut short. */
export const cutShort = (run: string): void => appendFileSync(runFiles(run).metrics, '{"kind":"step","st');
