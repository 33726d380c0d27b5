import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import type { Dataset, Split } from "../src/data/dataset.ts";
import { runFiles } from "../src/run/files.ts";
import { openLog } from "../src/run/log.ts";
import type { MetricsLine } from "../src/train/records.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig } from "../src/train/settings.ts";
import { exportEvents, openEvents } from "../src/train/tensorboard/event-file.ts";
import { writeAtomic } from "../src/util/files.ts";
import { rng } from "../src/util/rng.ts";
import { inPackage } from "../src/util/package.ts";
import { jsonLines } from "./support/cli.ts";
import { crc32c, type Point, readEvents } from "./support/event-file.ts";
import { Dead, injectFaults } from "./support/faults.ts";

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "eigensam-tensorboard-"));
const random = rng(1, "tensorboard");
const split = (count: number): Split => ({
  x: Float32Array.from({ length: count * 4 }, () => random.normal()),
  y: Int32Array.from({ length: count }, (_, i) => i % 3),
  count,
});
const data: Dataset = {
  name: "fashion-mini",
  inputShape: [4],
  targets: { kind: "labels", classes: 3 },
  mean: [],
  std: [],
  train: split(40),
  val: split(12),
  test: split(12),
};
const configOf = (tensorboard: boolean) =>
  checkConfig({
    threads: 1,
    model: { name: "mlp", width: 3, depth: 1 },
    method: { name: "eigen-sam", solver: "lanczos", every: 3, iterations: 2 },
    optimizer: { lr: 0.01 },
    data: { batch: 8, validation: 0.1 },
    probe: { every: 4, batches: 1, top: 2 },
    train: { epochs: 2, checkpointEvery: 2, testEvery: 1, tensorboard },
  });

/** Trains from the beginning or the newest checkpoint, until after step `until` has begun. */
async function trained(run: string, { tensorboard = true, until = Number.POSITIVE_INFINITY } = {}): Promise<string> {
  const resume = existsSync(run);
  if (!resume) trainRun.create(run, configOf(tensorboard));
  const stop = new AbortController();
  const listen = (event: { readonly event: string; readonly step?: number }) => {
    if (event.event === "step" && event.step === until) stop.abort();
  };
  const config = trainRun.readConfig(run);
  await runTraining({ config, dataset: data, run, resume, listen, stop: stop.signal });
  return run;
}

const bytesOf = (run: string) => readFileSync(runFiles(run).events);
const linesOf = (run: string) => jsonLines<Record<string, unknown>>(readFileSync(runFiles(run).metrics, "utf8"));

/** The points that a line of metrics.jsonl should give, written down by hand. */
function expected(lines: readonly Record<string, unknown>[]): Point[] {
  let step = 0;
  return lines.flatMap((line) => {
    step = Number(line.step ?? step);
    const point = (tag: string, value: unknown): Point[] =>
      value === undefined ? [] : [{ tag, step, value: Math.fround(Number(value ?? Number.NaN)) }];
    const score = (tag: string, given: unknown) => {
      const { loss, accuracy } = (given ?? {}) as { loss?: number; accuracy?: number };
      return [...point(`${tag}/loss`, loss), ...point(`${tag}/accuracy`, accuracy)];
    };
    const all = (keys: string) => keys.split(" ").flatMap((key) => point(`${line.kind}/${key}`, line[key]));
    const each = (name: string, list: unknown) =>
      (list as number[]).flatMap((value, i) => point(`${line.kind}/${name}${i + 1}`, value));
    switch (line.kind) {
      case "step":
        return all("lr loss gradNorm cosGradV cosEpsV cosGradEps directionNorm updateNorm");
      case "refresh":
        return all("eigenvalue residual rayleigh cosGradV products good used");
      case "probe":
        return [
          ...all("loss products batches images ratio subspace inUse cosGrad cosEps"),
          ...each("eigenvalue", line.eigenvalues),
          ...each("residual", line.residuals),
        ];
      case "epoch":
        return [
          ...score("epoch/train", line.train),
          ...score("epoch/val", line.val),
          ...score("epoch/test", line.test),
        ];
      default:
        return score("end/test", line.test);
    }
  });
}

const sorted = (points: readonly Point[]) =>
  points.map(({ tag, step, value }) => `${tag} ${String(step).padStart(6, "0")} ${value}`).sort();

let whole: string;
beforeAll(async () => {
  whole = await trained(join(root, "whole"));
});

describe("the event file of a run", () => {
  it("holds every number of metrics.jsonl at its step, once", () => {
    const { version, points, times } = readEvents(bytesOf(whole));
    expect(version).toBe("brain.Event:2");
    const lines = linesOf(whole);
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(new Set(["step", "refresh", "probe", "epoch", "done"]));
    expect(sorted(points)).toEqual(sorted(expected(lines)));
    expect(new Set(points.map(({ tag, step }) => `${tag} ${step}`)).size).toBe(points.length);
    expect(times.filter((time) => time !== 0)).toEqual([]);
    for (const tag of ["step/gradNorm", "probe/eigenvalue2", "epoch/val/accuracy", "end/test/loss"])
      expect(points.map((point) => point.tag)).toContain(tag);
  });

  it("is left out unless it is asked for, and changes nothing else", async () => {
    const plain = await trained(join(root, "plain"), { tensorboard: false });
    expect(existsSync(runFiles(plain).tensorboard)).toBe(false);
    for (const file of ["metrics", "weights", "best"] as const)
      expect(readFileSync(runFiles(plain)[file]).equals(readFileSync(runFiles(whole)[file])), file).toBe(true);
  });

  it.each<[string, (run: string, events: string) => void]>([
    ["as it was left", () => undefined],
    ["with points that no checkpoint knows", (_, events) => appendFileSync(events, bytesOf(whole).subarray(0, 200))],
    ["cut short", (_, events) => truncateSync(events, Math.floor(statSync(events).size / 2) + 3)],
    ["with rubbish in it", (_, events) => writeFileSync(events, Buffer.alloc(1_000_000, 7))],
    ["missing", (run) => rmSync(runFiles(run).tensorboard, { recursive: true })],
  ])("is the same after a run was stopped and resumed: %s", async (what, harm) => {
    const run = join(root, what.replaceAll(" ", "-"));
    cpSync(await stopped, run, { recursive: true });
    harm(run, runFiles(run).events);
    await trained(run);
    expect(bytesOf(run).equals(bytesOf(whole))).toBe(true);
    expect(readdirSync(runFiles(run).tensorboard)).toHaveLength(1);
  });
  const stopped = trained(join(root, "stopped"), { until: 5 });

  it("can be written of a run that was made without it", async () => {
    const plain = await trained(join(root, "late-export"), { tensorboard: false });
    const path = exportEvents(plain, join(root, "out", "inner"));
    expect(readFileSync(path).equals(bytesOf(whole))).toBe(true);
    expect(existsSync(runFiles(plain).tensorboard)).toBe(false);
  });

  it("begins at the beginning where it is asked for when the run resumes", async () => {
    const run = await trained(join(root, "late"), { tensorboard: false, until: 5 });
    const { config } = runFiles(run);
    writeFileSync(config, readFileSync(config, "utf8").replace("tensorboard = false", "tensorboard = true"));
    await trained(run);
    expect(bytesOf(run).equals(bytesOf(whole))).toBe(true);
  });

  it("is the same from code, with a run directory and saved from memory", async () => {
    const options = {
      data: { train: { x: [[0], [1], [2], [3]], y: [0, 1, 0, 1] } },
      model: "mlp",
      loss: "cross-entropy",
      method: "sgd",
      epochs: 2,
      tensorboard: true,
    } as const;
    const inMemory = await train(options).done;
    const dir = join(root, "api");
    await (await train({ ...options, dir }).done).release();
    await inMemory.save(join(root, "saved"));
    await inMemory.release();
    expect(bytesOf(dir).equals(bytesOf(join(root, "saved")))).toBe(true);
    expect(readEvents(bytesOf(dir)).points.map(({ tag }) => tag)).toContain("epoch/train/loss");
  });

  it("has what is read as no number as such, also for infinities, and no zero below zero", () => {
    const run = join(root, "odd");
    trainRun.create(run, configOf(true));
    const line = (loss: number, lr: number): MetricsLine => ({ kind: "step", step: 0, epoch: 1, lr, loss });
    const live = openEvents(run, []);
    for (const odd of [line(Number.NaN, 1), line(Number.POSITIVE_INFINITY, -0)]) live.append(odd);
    live.close();
    const bytes = bytesOf(run);
    expect(readEvents(bytes).points.map(({ value }) => value)).toEqual([1, Number.NaN, 0, Number.NaN]);
    const texts = [line(Number.NaN, 1), line(Number.POSITIVE_INFINITY, -0)].map((each) => JSON.stringify(each));
    writeFileSync(runFiles(run).metrics, texts.map((text) => `${text}\n`).join(""));
    openEvents(run, trainRun.readMetrics(run)).close();
    expect(bytesOf(run).equals(bytes)).toBe(true);
  });
});

it("its reader knows the published check of CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  const damaged = Buffer.from(bytesOf(whole));
  damaged[40]! ^= 1;
  expect(() => readEvents(damaged)).toThrow("at byte");
});

it("resumes to the same bytes, wherever a kill or a power failure comes, or the disk is full", () => {
  const LINES = 4;
  /** Lines of a log and their points, with a mark of its length after each, as a checkpoint has it. */
  const advance = (run: string) => {
    const mark = join(run, "mark");
    const from = existsSync(mark) ? JSON.parse(readFileSync(mark, "utf8")) : { step: 0, bytes: 0 };
    const log = openLog<MetricsLine>(runFiles(run).metrics, from.bytes);
    const events = openEvents(run, from.bytes === 0 ? [] : trainRun.readMetrics(run));
    try {
      for (let { step } = from; step < LINES; step++) {
        const line: MetricsLine = { kind: "step", step, epoch: 1, lr: 0.1, loss: 1 / (1 + step) };
        log.append(line);
        events.append(line);
        log.sync();
        writeAtomic(mark, JSON.stringify({ step: step + 1, bytes: log.length() }));
      }
      events.sync();
    } finally {
      log.close();
      events.close();
    }
  };
  const begin = () => mkdtempSync(join(root, "hurt-"));
  const undisturbed = begin();
  advance(undisturbed);
  const faults = [
    { fault: "kill" },
    { fault: "power", seed: 1 },
    { fault: "power", seed: 2 },
    { fault: "ENOSPC", ops: ["write"], short: true },
  ] as const;
  for (const plan of faults)
    for (let at = 1; ; at++) {
      const run = begin();
      const injected = injectFaults({ root: run, at, ...plan });
      try {
        advance(run);
      } catch (error) {
        if (!(error instanceof Dead) && (error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        injected.remove();
      }
      if (injected.fired() === undefined) {
        expect(at).toBeGreaterThan(LINES);
        break;
      }
      advance(run);
      expect(bytesOf(run).equals(bytesOf(undisturbed)), `${plan.fault} at ${injected.fired()}`).toBe(true);
      rmSync(run, { recursive: true });
    }
});

/** A Python that has TensorBoard, as CI makes one. */
const python = process.env.EIGENSAM_TENSORBOARD;

it.skipIf(python === undefined)("TensorBoard itself reads the same points (EIGENSAM_TENSORBOARD=python)", () => {
  const { tensorboard, events } = runFiles(whole);
  const script = inPackage("test/support/read_events.py");
  const { status, stdout, stderr } = spawnSync(python!, [script, tensorboard, events], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const read: { scalars: Record<string, [number, number][]>; events: number } = JSON.parse(stdout);
  const points = Object.entries(read.scalars).flatMap(([tag, all]) =>
    all.map(([step, value]): Point => ({ tag, step, value: Math.fround(value) })),
  );
  expect(sorted(points)).toEqual(sorted(expected(linesOf(whole))));
});
