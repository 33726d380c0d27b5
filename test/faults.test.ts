import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { copyRun } from "../src/run/copy.ts";
import { marks } from "../src/run/checkpoint.ts";
import { recordHead, runKind } from "../src/run/directory.ts";
import { runFiles } from "../src/run/files.ts";
import { settingsOf } from "../src/run/settings.ts";
import { makeFolder, removeTemporaries, writeAtomic } from "../src/util/files.ts";
import { Dead, type FaultPlan, type Faults, injectFaults } from "./support/faults.ts";

/** What is lost with the power differs by seed. */
const SLOW = process.env.EIGENSAM_SLOW === "1";
const SEEDS = SLOW ? [1, 2, 3, 4, 5, 6] : [1, 2];

// In memory where there is such a folder: thousands of files are synced here.
const folder = () => mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "eigensam-faults-"));
let faults: Faults | undefined;
afterEach(() => faults?.remove());

/** Does the work under a plan. Whether it was done, died or failed, and how many operations it took. */
function under(root: string, plan: Omit<FaultPlan, "root">, work: () => void) {
  faults = injectFaults({ root, ...plan });
  try {
    work();
    return { outcome: "done", faults };
  } catch (error) {
    if (error instanceof Dead) return { outcome: "died", faults };
    return { outcome: (error as NodeJS.ErrnoException).code ?? String(error), faults };
  } finally {
    faults.remove();
    faults = undefined;
  }
}

/** Every way to die before every operation of some work, which is after the one before: each in a new folder, with and without power. */
function* deaths(prepare: (root: string) => void, work: (root: string) => void) {
  const first = folder();
  prepare(first);
  const { counts } = under(first, { fault: "none" }, () => work(first)).faults;
  const operations = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(operations).toBeGreaterThan(3);
  const ways = [{ fault: "kill", seed: 0 } as const, ...SEEDS.map((seed) => ({ fault: "power", seed }) as const)];
  for (let at = 1; at <= operations; at++)
    for (const way of ways) {
      const root = folder();
      prepare(root);
      const { outcome, faults } = under(root, { ...way, at }, () => work(root));
      const what = `${way.fault} at operation ${at}: ${faults.fired()} (seed ${way.seed})`;
      expect(outcome, what).toBe("died");
      yield { root, what };
      rmSync(root, { recursive: true });
    }
}

const [OLD, NEW] = ["old\n".repeat(40), "new and longer\n".repeat(40)];
const prepare = (root: string) => writeFileSync(join(root, "a"), OLD);

describe("the failing file system", () => {
  it("loses what is renamed without having been synced", () => {
    const careless = (root: string) => {
      writeFileSync(join(root, "b"), NEW);
      renameSync(join(root, "b"), join(root, "a"));
    };
    const found = new Set<string>();
    for (const { root } of deaths(prepare, (root) => {
      careless(root);
      mkdirSync(join(root, "later"));
      mkdirSync(join(root, "later/still"));
    }))
      found.add(readFileSync(join(root, "a"), "utf8"));
    expect([...found].filter((text) => text !== OLD && text !== NEW).length).toBeGreaterThan(0);
  });

  it("fails writes from the chosen one on, after a part of it where asked", () => {
    const root = folder();
    const { outcome } = under(root, { fault: "ENOSPC", at: 2, ops: ["write"] }, () => {
      for (const name of "abc") writeFileSync(join(root, name), NEW);
    });
    expect([outcome, readdirSync(root)]).toEqual(["ENOSPC", ["a"]]);
  });

  it("leaves everything outside its folder alone", () => {
    const [root, other] = [folder(), folder()];
    const { outcome, faults } = under(root, { fault: "EIO", at: 1 }, () => writeAtomic(join(other, "a"), NEW));
    expect([outcome, faults.fired()]).toEqual(["done", undefined]);
  });
});

describe("a file that is written whole or not at all", () => {
  const write = (root: string) => writeAtomic(join(root, "a"), NEW);

  it("is the old or the new one, wherever a kill or a power failure comes", () => {
    const found = new Set<string>();
    for (const { root, what } of deaths(prepare, write)) {
      const text = readFileSync(join(root, "a"), "utf8");
      expect([OLD, NEW], what).toContain(text);
      found.add(text);
      removeTemporaries(root);
      expect(readdirSync(root), what).toEqual(["a"]);
    }
    expect(found.size).toBe(2);
  });

  it("is there for good once it is written, in folders that are there for good", () => {
    for (const seed of SEEDS) {
      const root = folder();
      const { outcome } = under(root, { fault: "power", at: 1, ops: ["link"], seed }, () => {
        makeFolder(join(root, "x/y"));
        writeAtomic(join(root, "x/y/a"), NEW);
        linkSync(join(root, "x/y/a"), join(root, "never"));
      });
      expect(outcome).toBe("died");
      expect(readFileSync(join(root, "x/y/a"), "utf8")).toBe(NEW);
    }
  });

  it.each(["ENOSPC", "EIO"] as const)("stays the old one where any operation fails with %s", (fault) => {
    for (const op of ["open", "write", "fsync", "rename"] as const) {
      const root = folder();
      prepare(root);
      // The folder is synced after the rename: the second fsync comes too late for the old one.
      const { outcome } = under(root, { fault, at: 1, ops: [op], short: true }, () => write(root));
      expect([op, outcome, readdirSync(root)]).toEqual([op, fault, ["a"]]);
      expect(readFileSync(join(root, "a"), "utf8")).toBe(OLD);
    }
  });

  it("does not mind a system that takes a few bytes at a time", () => {
    const root = folder();
    const { outcome, faults } = under(root, { fault: "trickle", at: 1 }, () => write(root));
    expect([outcome, readFileSync(join(root, "a"), "utf8")]).toEqual(["done", NEW]);
    expect(faults.counts.write).toBeGreaterThan(NEW.length / 8);
  });

  it("needs its folder, and no folder is made where none can be", () => {
    const path = join(folder(), "missing/a");
    expect(() => writeAtomic(path, NEW)).toThrow("there is no folder");
    expect(() => makeFolder("/proc/eigensam")).toThrow("ENOENT");
    writeFileSync(join(path, "../../missing"), "");
    expect(() => makeFolder(join(path, "b"))).toThrow(/ENOTDIR|EEXIST/);
  });
});

/** A run of a few lines and checkpoints, as every kind writes them. */
const settings = settingsOf(z.strictObject({ seed: z.int().default(1) }), { command: "toy", example: "seed=2" });
const toy = runKind({
  kind: "toy",
  command: "toy",
  settings: (toml, source) => settings.resolve(toml, [], source),
  record: z.object({ kind: z.literal("toy"), ...recordHead }),
  metrics: z.object({ height: z.number() }),
  timings: z.object({ seconds: z.number() }),
  progress: z.object(marks),
});
const START = { step: 0, metricsBytes: 0, timingsBytes: 0, seconds: 0 };
const STEPS = 3;

/** Begins the run or goes on from its newest checkpoint, to the end. */
function advance(run: string): void {
  if (!existsSync(runFiles(run).config)) toy.create(run, settings.resolve("", []));
  toy.assertResumable(run);
  const restored = toy.restore(run, ({ progress, tensors }) => ({ progress, x: tensors.x!.data[0] as number }));
  let [from, x] = [restored?.progress ?? START, restored?.x ?? 1];
  const recorder = toy.open(run, from, (value: number) => ({
    tensors: { x: { dtype: "F64", shape: [1], data: Float64Array.of(value) } },
  }));
  try {
    toy.writeRecord(run, { status: "running" });
    if (restored === undefined) recorder.save(x, from);
    while (from.step < STEPS) {
      x = x * 1.5 + from.step;
      recorder.metrics({ height: x });
      recorder.timings({ seconds: 1 });
      from = { ...from, step: from.step + 1 };
      recorder.save(x, from);
    }
    recorder.metrics({ height: -x });
    recorder.sync();
    writeAtomic(runFiles(run).weights, Float64Array.of(x).toString());
    toy.writeRecord(run, { status: "done" });
  } finally {
    recorder.close();
  }
}

const FILES = ["config", "metrics", "timings", "weights"] as const;
const contents = (run: string) => FILES.map((file) => readFileSync(runFiles(run)[file], "utf8"));

describe("a run directory", () => {
  const whole = join(folder(), "run");
  advance(whole);

  /** Resumes a run that was left in whatever state, unless it says that it is done. */
  const finish = (run: string, what: string) => {
    if (!existsSync(runFiles(run).record) || toy.readRecord(run)?.status !== "done") advance(run);
    expect(contents(run), what).toEqual(contents(whole));
    expect(readdirSync(run).sort(), what).toEqual(readdirSync(whole).sort());
    // An older one may stay where its removal was cut off.
    expect(readdirSync(runFiles(run).checkpoints).sort().at(-1), what).toBe("step-00000003.safetensors");
  };

  it("resumes to the same bytes, wherever a kill or a power failure comes", () => {
    for (const { root, what } of deaths(
      () => undefined,
      (root) => advance(join(root, "run")),
    ))
      finish(join(root, "run"), what);
  });

  it.runIf(SLOW)("resumes after a second one that comes while it resumes", () => {
    const stop = { fault: "kill", at: 30 } as const;
    for (const { root, what } of deaths(
      (root) => void expect(under(root, stop, () => advance(join(root, "run"))).outcome).toBe("died"),
      (root) => advance(join(root, "run")),
    ))
      finish(join(root, "run"), what);
  });

  it("resumes after a disk that was full at any write", () => {
    for (let at = 1; ; at++) {
      const root = folder();
      const run = join(root, "run");
      const { outcome } = under(root, { fault: "ENOSPC", at, ops: ["write"], short: at % 2 === 0 }, () => advance(run));
      if (outcome === "done") break;
      expect(outcome).toBe("ENOSPC");
      finish(run, `full at write ${at}`);
    }
  });

  it("copies whole and for good", () => {
    for (const { root, what } of deaths(
      () => undefined,
      (root) => copyRun(whole, join(root, "copy")),
    ))
      if (existsSync(join(root, "copy"))) expect(contents(join(root, "copy")), what).toEqual(contents(whole));
  });
});
