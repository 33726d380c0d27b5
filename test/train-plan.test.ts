import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listsIn, product } from "../src/cli/train/lists.ts";
import { planOf } from "../src/cli/train/plan.ts";
import { ensurePlan } from "../src/sweep/plan-file.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { builtIn } from "../src/train/registry.ts";
import { trainSettings } from "../src/train/settings.ts";
import { eigensam, jsonLines } from "./support/cli.ts";

const settings = trainSettings(builtIn);
const plan = (args: readonly string[], seeds?: readonly number[]) => planOf(["", args], seeds, settings);
const namesOf = (args: readonly string[], seeds?: readonly number[]) => plan(args, seeds)?.runs.map(({ name }) => name);

describe("lists of values", () => {
  it.each<[string, readonly string[]]>([
    ["method.name=sgd,sam", ["method.name=sgd", "method.name=sam"]],
    ["optimizer.lr=0.1, 1e-2", ["optimizer.lr=0.1", "optimizer.lr=1e-2"]],
    ["data.flip=true,false", ["data.flip=true", "data.flip=false"]],
    ["method.rho=.1,0.2", ["method.rho=.1", "method.rho=0.2"]],
    ["seed=1..3", ["seed=1", "seed=2", "seed=3"]],
    ["schedule.milestones=[1,2],[3]", ["schedule.milestones=[1,2]", "schedule.milestones=[3]"]],
    ["schedule.milestones=[1,2]", []],
    ["data.dir=a,b", []],
    ["data.images=Smith, J/x.npy", []],
    ['method.name="sgd,sam"', []],
    ["optimizer.lr=0.1", []],
  ])("%s", (argument, expected) => {
    expect(listsIn([argument], settings.list).flatMap((list) => list.arguments)).toEqual(expected);
  });

  it("the last word on a setting counts", () => {
    expect(listsIn(["optimizer.lr=0.1,0.2", "optimizer.lr=0.3"], settings.list)).toEqual([]);
  });

  it.each(["optimizer.lr=0.1,", "method.name=,sam", "seed=1,,2"])("%s lacks a value", (argument) => {
    expect(() => plan([argument])).toThrow(/is missing|seed is "1,,2"/);
  });

  it("make a product in the order of the lists", () => {
    expect(product([[1, 2], [3], [4, 5]])).toEqual([
      [1, 3, 4],
      [1, 3, 5],
      [2, 3, 4],
      [2, 3, 5],
    ]);
    expect(product([])).toEqual([[]]);
  });
});

describe("a plan", () => {
  it("is none without a list", () => {
    expect(plan(["method.name=sgd", "optimizer.lr=0.1"])).toBeUndefined();
  });

  it("names its runs by what varies", () => {
    expect(namesOf(["method.name=sgd,eigen-sam", "optimizer.lr=0.1,1e-3"], [1, 2])).toEqual([
      "sgd-lr0.1-seed1",
      "sgd-lr0.1-seed2",
      "sgd-lr0.001-seed1",
      "sgd-lr0.001-seed2",
      "eigen-sam-lr0.1-seed1",
      "eigen-sam-lr0.1-seed2",
      "eigen-sam-lr0.001-seed1",
      "eigen-sam-lr0.001-seed2",
    ]);
    expect(namesOf(["schedule.milestones=[1,2],[3]"])).toEqual(["milestones1+2", "milestones3"]);
    expect(namesOf(["schedule.warmup=0,1", "method.warmup=sam,usam"])?.[0]).toBe("schedule.warmup0-method.warmupsam");
  });

  it("has runs of equal settings once", () => {
    expect(namesOf(["method.name=sgd,sam", "method.rho=0.05,0.1"])).toEqual(["sgd", "sam-rho0.05", "sam-rho0.1"]);
    expect(namesOf(["optimizer.lr=0.1,0.10"])).toEqual(["lr0.1"]);
  });

  it("notes what no run reads, refuses what is wrong in any run, and two lists of seeds", () => {
    expect(plan(["method.name=sgd,sam", "method.rho=0.1"])?.unread).toEqual([]);
    expect(plan(["method.name=sgd,sam", "method.alpha=0.1"])?.unread).toEqual(["method.alpha"]);
    expect(() => plan(["method.name=sgd,eigen-sma"])).toThrow("did you mean eigen-sam?");
    expect(() => plan(["optimizer.lr=0.1,-1"])).toThrow("optimizer.lr is -1");
    expect(() => plan(["seed=3"], [1, 2])).toThrow("both --seeds and seed= were given");
  });
});

describe("the folder of a plan", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-plan-"));
  const runs = (...args: string[]) => plan(["method.name=sgd,sam", ...args], [1, 2])!.runs;

  it("keeps the threads that its runs were begun with", () => {
    const out = join(folder, "threads");
    const begun = ensurePlan(out, runs(), 1);
    expect(begun[0]!.config.threads).toBeGreaterThan(0);
    expect(ensurePlan(out, runs(), 1000)).toEqual(begun);
    expect(ensurePlan(join(folder, "own"), runs("threads=3"), 1)[0]!.config.threads).toBe(3);
  });

  it.each<[string, () => ReturnType<typeof runs>, string]>([
    ["another setting", () => runs("optimizer.lr=0.3"), "optimizer.lr was 0.1, now 0.3"],
    ["another seed", () => plan(["method.name=sgd,sam"], [1, 3])!.runs, "sgd-seed3, sam-seed3 not in it"],
    ["fewer runs", () => plan(["method.name=sgd,sam"], [1])!.runs, "sgd-seed2, sam-seed2 not asked for now"],
  ])("refuses %s", (_, others, message) => {
    const out = join(folder, "refuses");
    ensurePlan(out, runs("optimizer.lr=0.1"), 2);
    const before = readFileSync(join(out, "plan.json"), "utf8");
    expect(() => ensurePlan(out, others(), 2)).toThrow(message);
    expect(readFileSync(join(out, "plan.json"), "utf8")).toBe(before);
  });

  it("refuses a folder of other things, and a damaged plan", () => {
    const out = join(folder, "other");
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "mine");
    expect(() => ensurePlan(out, runs(), 2)).toThrow("is not empty");
    writeFileSync(join(out, "plan.json"), "{");
    expect(() => ensurePlan(out, runs(), 2)).toThrow(/plan.json: got .*expected JSON/);
  });
});

describe("eigensam train with lists", () => {
  const small = ["model.name=mlp", "model.width=8", "data.batch=900", "train.epochs=1", "threads=1"];
  const out = join(mkdtempSync(join(tmpdir(), "eigensam-many-")), "out");
  const command = ["train", ...small, "--seeds", "1,2", "optimizer.lr=0.1,1e30", "method.name=sgd", "--run-dir", out];
  const run = (args: readonly string[]) => eigensam([...args, "--json"]);

  it("trains the product, loses only what diverges, reports the others, and resumes what is missing", {
    timeout: 120_000,
  }, async () => {
    const { status, stdout, stderr } = await run(command);
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/2 of 4 runs failed: lr1e\+30-seed[12], lr1e\+30-seed[12];/);
    const events = jsonLines<{ event: string; run?: string; runs?: string[]; html?: string }>(stdout);
    expect(events.flatMap(({ event, run }) => (event === "done" ? [run] : [])).sort()).toEqual([
      join(out, "lr0.1-seed1"),
      join(out, "lr0.1-seed2"),
    ]);
    const report = events.at(-1)!;
    expect(report).toMatchObject({ event: "report", runs: [join(out, "lr0.1-seed1"), join(out, "lr0.1-seed2")] });
    expect(existsSync(report.html!)).toBe(true);
    // Each run is what one command would have made.
    const [first] = plan([...small, "method.name=sgd", "optimizer.lr=0.1,1"], [1])!.runs;
    expect(trainRun.readConfig(join(out, "lr0.1-seed1"))).toEqual(first!.config);
  });

  it.runIf(process.env.EIGENSAM_SLOW === "1")(
    "saves at Ctrl-C, resumes with the same command, and takes plugins",
    { timeout: 120_000 },
    async () => {
      const folder = join(out, "..", "stopped");
      const args = ["train", ...small, "train.epochs=40", "method.name=scaled-sam,sgd", "--seeds", "1..2"];
      const all = [...args, "--run-dir", folder, "--plugin", "test/fixtures/plugins/methods.ts", "--json"];
      const stopped = await eigensam(all, { kill: { signal: "SIGINT", after: /"event":"epoch"/, group: true } });
      expect(stopped.status, stopped.stderr).toBe(130);
      expect(stopped.stderr).toContain("run the same command again to resume");
      const again = await eigensam(all);
      expect(again.status, again.stderr).toBe(0);
      expect(jsonLines<{ runs?: string[] }>(again.stdout).at(-1)?.runs).toHaveLength(4);
    },
  );

  it.runIf(process.env.EIGENSAM_SLOW === "1")(
    "--dry-run counts the runs and writes nothing",
    { timeout: 60_000 },
    async () => {
      const folder = join(out, "..", "dry");
      const args = ["train", ...small, "method.name=sgd,sam", "--seeds", "1..5", "--run-dir", folder, "--dry-run"];
      const { status, stdout } = await run(args);
      expect(status).toBe(0);
      const [facts] = jsonLines<{ runs: string[]; kinds: { runs: number }[]; totalSeconds: number }>(stdout);
      expect(facts!.runs).toHaveLength(10);
      expect(facts!.kinds.map((kind) => kind.runs)).toEqual([5, 5]);
      expect(facts!.totalSeconds).toBeGreaterThan(0);
      expect(existsSync(folder)).toBe(false);
    },
  );
});
