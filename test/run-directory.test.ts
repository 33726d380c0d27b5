import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Checkpoint, checkpointsOf, marks } from "../src/run/checkpoint.ts";
import { recordHead, runKind } from "../src/run/directory.ts";
import { runFiles } from "../src/run/files.ts";
import { measured } from "../src/run/lines.ts";
import { settingsOf } from "../src/run/settings.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { checkConfig } from "../src/train/settings.ts";
import { ConfigError, InputError } from "../src/util/errors.ts";
import { encodeSafetensors } from "../src/util/safetensors.ts";
import { fakeRun } from "./support/fake-runs.ts";

const toySettings = settingsOf(z.strictObject({ seed: z.int().default(1), rate: z.number().default(0.5) }), {
  command: "eigensam toy",
  example: "seed=2",
});

const progress = z.object({ ...marks, energy: z.number() });

/** A kind of run as an experiment declares one. */
const toyRun = runKind({
  kind: "toy",
  command: "eigensam toy",
  settings: (toml, source) => toySettings.resolve(toml, [], source),
  record: z.object({ kind: z.literal("toy"), ...recordHead, height: measured }),
  metrics: z.object({ kind: z.literal("fall"), height: measured }),
  timings: z.object({ seconds: measured }),
  progress,
});

const START = { step: 0, metricsBytes: 0, timingsBytes: 0, seconds: 0, energy: 10 };
const config = toySettings.resolve("", []);
const vectorOf = (x: number) => ({ tensors: { x: { dtype: "F64", shape: [1], data: Float64Array.of(x) } } }) as const;
const decode = ({ path, tensors, progress: { step, energy } }: Checkpoint<z.output<typeof progress>>) => {
  if (!tensors.x) throw new InputError(`${path}: x is missing`);
  return { x: tensors.x.data[0], step, energy };
};
const open = (from = START) => toyRun.open(run, from, vectorOf);
const lines = (path: string) => readFileSync(path, "utf8");

let run = "";
beforeEach(() => {
  run = join(mkdtempSync(join(tmpdir(), "eigensam-directory-")), "run");
  toyRun.create(run, config);
});

/** Steps of a run, a line and a checkpoint each. */
function recordSteps(...steps: readonly number[]): void {
  const recorder = open();
  for (const step of steps) {
    recorder.metrics({ kind: "fall", height: step });
    recorder.save(step, { ...START, step });
  }
  recorder.close();
}

describe("a run directory", () => {
  it("keeps its settings", async () => {
    const [own, other] = [toySettings.resolve("seed = 7", []), toySettings.resolve("seed = 8", [])];
    const path = join(run, "inner");
    await toyRun.ensure(path, own);
    expect(toyRun.readConfig(path)).toEqual({ seed: 7, rate: 0.5 });
    expect(await toyRun.ensure(path, own)).toBe(false);
    // A start that failed has left settings alone.
    await toyRun.ensure(path, other);
    expect(toyRun.readConfig(path).seed).toBe(8);
    await toyRun.ensure(path, own);
    toyRun.writeRecord(path, { status: "stopped", height: 1 });
    await expect(toyRun.ensure(path, other)).rejects.toThrow(ConfigError);
    await expect(toyRun.ensure(path, other)).rejects.toThrow(`${path} was made with other settings`);
  });

  it("keeps settings that another process put there, until it has them itself", async () => {
    const path = join(run, "raced");
    const other = toySettings.resolve("seed = 8", []);
    const waited = () => expect.fail("nobody is elsewhere");
    await toyRun.ensure(path, config);
    // The start of another process, between this one's settings and its claim.
    await toyRun.ensure(path, other);
    const late = toyRun.alone(path, config, waited, async () => expect.fail("worked on"));
    await expect(late).rejects.toThrow(`${path} was made with other settings`);
    toyRun.discard(path, config);
    await toyRun.alone(path, other, waited, async () => {
      await expect(toyRun.ensure(path, config)).rejects.toThrow("was made with other settings");
      await toyRun.ensure(path, other);
    });
    expect(toyRun.readConfig(path)).toEqual(other);
    toyRun.discard(path, other);
    expect(existsSync(path)).toBe(false);
  });

  it("is not made where something is already, and says how to go on", async () => {
    expect(() => toyRun.create(run, config)).toThrow(`${run} is not empty\n  hint: eigensam toy --resume ${run}`);
    rmSync(runFiles(run).config);
    writeFileSync(join(run, "letter.txt"), "");
    await expect(toyRun.ensure(run, config)).rejects.toThrow(`${run} is not empty\n  hint: choose another folder`);
    expect(() => toyRun.readConfig(run)).toThrow("it has no config.toml\n  hint: eigensam toy makes one");
  });

  it("is made where a start that failed left an empty folder of claims or half its settings, which may be another's", () => {
    const { config: settings, claims } = runFiles(run);
    rmSync(settings);
    mkdirSync(claims);
    const half = join(run, ".config.toml.1.tmp");
    writeFileSync(half, "");
    toyRun.create(run, config);
    expect([settings, claims, half].map((path) => existsSync(path))).toEqual([true, true, true]);
    rmSync(half);
    toyRun.discard(run, config);
    expect(existsSync(run)).toBe(false);
  });

  it("is neither made nor taken back where another process has claimed it", () => {
    const { config: settings, claims } = runFiles(run);
    mkdirSync(claims);
    writeFileSync(join(claims, "1"), "{}");
    toyRun.discard(run, config);
    expect(existsSync(settings)).toBe(true);
    rmSync(settings);
    expect(() => toyRun.create(run, config)).toThrow(`${run} is not empty`);
  });

  it("is worked on by one at a time, and not when it is complete", async () => {
    const waited = () => expect.fail("nobody is elsewhere");
    const record = { height: 1 };
    // The status of a process that was killed.
    toyRun.writeRecord(run, { ...record, status: "running" });
    const nested = toyRun.alone(run, config, waited, async () =>
      toyRun.alone(run, config, waited, async () => undefined),
    );
    await expect(nested).rejects.toThrow(`${run} is in use by this process already`);
    expect(existsSync(runFiles(run).claims)).toBe(true);
    await toyRun.alone(run, config, waited, async () => toyRun.writeRecord(run, { ...record, status: "done" }));
    expect(existsSync(runFiles(run).claims)).toBe(false);
    expect(() => toyRun.assertResumable(run)).toThrow(`${run} is complete`);
    await expect(toyRun.alone(run, config, waited, async () => expect.fail("worked on"))).rejects.toThrow(
      "is complete",
    );
    expect(existsSync(runFiles(run).claims)).toBe(false);
  });
});

describe("run.json", () => {
  const good = { kind: "toy", version: 1, pid: 1, status: "stopped", height: null };
  const write = (text: string) => writeFileSync(runFiles(run).record, text);

  it("reads as it was written, and may not be there yet", () => {
    expect(toyRun.readRecord(run)).toBeUndefined();
    toyRun.writeRecord(run, { status: "stopped", height: 2 });
    expect(toyRun.readRecord(run)).toEqual({ kind: "toy", version: 1, pid: process.pid, status: "stopped", height: 2 });
    write(JSON.stringify(good));
    expect(toyRun.readRecord(run)?.height).toBeNaN();
  });

  it.each([
    ["empty", "", "run.json: got nothing, expected JSON"],
    ["cut short", JSON.stringify(good).slice(0, 30), 'run.json: got {"kind":"toy","version":1,"pid, expected JSON'],
    ["no record", "[1]", "run.json: got [1], expected a table"],
    ["of another version", JSON.stringify({ ...good, version: 2 }), "run.json: got 2 for version"],
    ["without a field", JSON.stringify({ ...good, status: undefined }), "run.json: got nothing for status"],
  ])("that is %s is an error that names the file and what to do", (what, text, message) => {
    write(text);
    // A record that is none at all names no kind, and only those of training name none.
    const [kind, command] = what === "no record" ? [trainRun, "train"] : [toyRun, "toy"];
    expect(() => kind.readRecord(run)).toThrow(InputError);
    expect(() => kind.readRecord(run)).toThrow(message);
    expect(() => kind.readRecord(run)).toThrow(`Remove it, and eigensam ${command} --resume ${run} writes a new one`);
    expect(() => kind.assertResumable(run)).toThrow(message);
  });

  it("of another kind is named as such by everything that reads runs", async () => {
    write(JSON.stringify(good));
    for (const read of [trainRun.readConfig, trainRun.readRecord, trainRun.assertResumable, trainRun.readMetrics])
      expect(() => read(run)).toThrow(`${run} is a run of kind "toy", not "train"`);
    await expect(trainRun.ensure(run, checkConfig({}))).rejects.toThrow('is a run of kind "toy"');
  });

  it("of training named no kind in earlier versions", () => {
    const path = fakeRun(join(run, "train"));
    const { record } = runFiles(path);
    const { kind, ...earlier } = JSON.parse(lines(record));
    expect(kind).toBe("train");
    writeFileSync(record, JSON.stringify(earlier));
    expect(trainRun.readRecord(path)).toMatchObject({ kind: "train", status: "done" });
    expect(() => toyRun.readRecord(path)).toThrow('is a run of kind "train", not "toy"');
  });
});

describe("the logs", () => {
  it("are made with their first line, and cut back to where the checkpoint was written", () => {
    const first = open();
    expect(existsSync(runFiles(run).metrics)).toBe(false);
    first.metrics({ kind: "fall", height: 3 });
    first.save(3, { ...START, step: 1 });
    first.metrics({ kind: "fall", height: 2 });
    first.timings({ seconds: 1 });
    first.close();
    expect(toyRun.readMetrics(run)).toHaveLength(2);

    const from = toyRun.restore(run, (checkpoint) => checkpoint.progress)!;
    expect(from).toMatchObject({ step: 1, metricsBytes: 27, timingsBytes: 0 });
    const second = open(from);
    second.metrics({ kind: "fall", height: Number.NaN });
    second.close();
    expect(toyRun.readMetrics(run).map(({ height }) => height)).toEqual([3, Number.NaN]);
    expect(lines(runFiles(run).timings)).toBe("");
    expect(second.seconds()).toBeGreaterThan(from.seconds);
  });

  it.each(["shorter than the checkpoint says", "missing"])("that are %s are an error", (what) => {
    recordSteps(1, 2);
    const from = toyRun.restore(run, (checkpoint) => checkpoint.progress)!;
    const { metrics } = runFiles(run);
    if (what === "missing") rmSync(metrics);
    else truncateSync(metrics, 30);
    const length = what === "missing" ? 0 : 30;
    expect(() => open(from)).toThrow(InputError);
    expect(() => open(from)).toThrow(`${metrics} has ${length} bytes, but the checkpoint was written after 54`);
  });

  it("that are missing are no lines of a run that has just begun, and an error of one that is complete", () => {
    toyRun.writeRecord(run, { status: "running", height: 1 });
    expect(toyRun.readMetrics(run)).toEqual([]);
    toyRun.writeRecord(run, { status: "done", height: 1 });
    expect(() => toyRun.readMetrics(run)).toThrow(`${run} is complete, but ${runFiles(run).metrics} is missing`);
  });

  it("are checked line by line, and a last line that was cut short does not count", () => {
    recordSteps(1, 2);
    const { metrics } = runFiles(run);
    writeFileSync(metrics, `${lines(metrics)}{"kind":"fa`);
    expect(toyRun.readMetrics(run)).toHaveLength(2);
    writeFileSync(metrics, `${lines(metrics)}\n`);
    expect(() => toyRun.readMetrics(run)).toThrow(`${metrics}: line 3: got {"kind":"fa, expected JSON`);
  });
});

describe("checkpoints", () => {
  it("are the last two", () => {
    recordSteps(1, 2, 10);
    expect(checkpointsOf(run).map((path) => basename(path))).toEqual([
      "step-00000002.safetensors",
      "step-00000010.safetensors",
    ]);
    expect(toyRun.restore(run, decode)).toEqual({ x: 10, step: 10, energy: 10 });
  });

  it("may not be there yet, but lines without one are an error", () => {
    expect(toyRun.restore(run, decode)).toBeUndefined();
    recordSteps(1, 2);
    rmSync(runFiles(run).checkpoints, { recursive: true });
    expect(checkpointsOf(run)).toEqual([]);
    expect(() => toyRun.restore(run, decode)).toThrow(InputError);
    expect(() => toyRun.restore(run, decode)).toThrow(
      /was begun, but .*checkpoints holds no checkpoint\n {2}hint: put/,
    );
  });

  const good = { format: "eigensam-checkpoint-1", kind: "toy", progress: JSON.stringify({ ...START, step: 2 }) };
  const { x } = vectorOf(1).tensors;
  it.each([
    ["is cut short", encodeSafetensors({ x }, good).subarray(0, 100), "the header is said to have"],
    ["lacks a vector", encodeSafetensors({ y: x }, good), "x is missing"],
    ["is of another kind", encodeSafetensors({ x }, { ...good, kind: "sde" }), 'a checkpoint of kind "sde", not "toy"'],
    [
      "is of training, without a kind",
      encodeSafetensors({ x }, { format: good.format, progress: good.progress }),
      'a checkpoint of kind "train"',
    ],
    ["is weights alone", encodeSafetensors({ x }, { format: "pt" }), "not a checkpoint of a run"],
    [
      "has no JSON for progress",
      encodeSafetensors({ x }, { ...good, progress: "{" }),
      "progress: got {, expected JSON",
    ],
    ["has another progress", encodeSafetensors({ x }, { ...good, progress: "{}" }), "progress: got nothing for step"],
  ])("whose newest one %s name the last good one", (_, bytes, message) => {
    recordSteps(1, 2);
    const [last, newest] = checkpointsOf(run) as [string, string];
    writeFileSync(newest, bytes);
    const restore = () => toyRun.restore(run, decode);
    expect(restore).toThrow(InputError);
    expect(restore).toThrow(message);
    expect(restore).toThrow(newest);
    expect(restore).toThrow(`the last good checkpoint is ${last}; remove the damaged file to resume from there`);
    rmSync(newest);
    expect(restore()).toMatchObject({ step: 1 });
    writeFileSync(last, bytes);
    expect(restore).toThrow("there is no other checkpoint: start the run anew");
  });
});
