import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listRuns, type RunsQuery } from "../src/experiments/run-list/index.ts";
import { differing } from "../src/experiments/run-list/keys.ts";
import { claimRun } from "../src/run/claim.ts";
import { runFiles } from "../src/run/files.ts";
import { lastLines } from "../src/run/last-lines.ts";
import { marksOf } from "../src/run/marks.ts";
import { writeCheckpoint } from "../src/run/checkpoint.ts";
import { ConfigError, InputError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { cutShort, fakeRun, temporary } from "./support/fake-runs.ts";
import { runFolders } from "./support/run-folders.ts";
import { jsonLines } from "./support/cli.ts";

const probed = { probe: { every: 15 } };
const folder = runFolders();

const recordOf = (run: string) => JSON.parse(readFileSync(runFiles(run).record, "utf8"));
const rewrite = (run: string, change: object) =>
  writeFileSync(runFiles(run).record, JSON.stringify({ ...recordOf(run), ...change }));

const names = async (query: RunsQuery, paths = [folder]) => (await listRuns(paths, query)).runs.map(({ name }) => name);
const short = async (...filters: string[]) =>
  (await names({ filters })).map((name) => name.replace(/^(compare|sde\/deep)\//, ""));

describe("the list of runs", () => {
  it("finds runs at any depth, once, in natural order", async () => {
    const linked = temporary();
    symlinkSync(folder, join(linked, "there"));
    symlinkSync(linked, join(linked, "round"));
    const all = ["sam-seed1", "sam-seed2", "sam-seed10", "sgd-seed1", "sgd-seed2", "sgd-seed10"];
    const expected = [...all.map((name) => `compare/${name}`), "sde/deep/rho0.1"];
    expect(await names({})).toEqual(expected);
    expect(await names({}, [linked])).toEqual(expected.map((name) => `there/${name}`));
    const one = join(folder, "compare/sgd-seed2");
    expect(await names({}, [one])).toEqual(["sgd-seed2"]);
    expect(await names({}, [one, join(folder, "compare"), folder])).toHaveLength(7);
  });

  it("holds what run.json, the last look of the probe and the last epoch say", async () => {
    const run = join(folder, "compare/sam-seed2");
    const { runs } = await listRuns([run]);
    const lines = jsonLines(readFileSync(runFiles(run).metrics, "utf8"));
    const probe = lines.findLast(({ kind }) => kind === "probe")!;
    const { result, config } = recordOf(run);
    expect(runs[0]).toMatchObject({
      ...{ name: "sam-seed2", path: run, kind: "train", status: "done", epochs: 3, done: "3/3", seconds: 6 },
      ...{ trainLoss: result.train.loss, valAccuracy: result.val.accuracy, testLoss: result.test.loss },
      ...{ testAccuracy: result.test.accuracy, eigenvalue: probe.eigenvalue, residual: probe.residual },
      date: "2026-01-01T00:00:00.000Z",
    });
    expect(runs[0]!.settings.get("optimizer.lr")).toBe(config.optimizer.lr);
    expect(runs[0]!.settings.get("schedule.milestones")).toEqual([2, 30]);
  });

  it("has of an SDE run the last measurement of the discrete method", async () => {
    const [run] = (await listRuns([join(folder, "sde")])).runs;
    expect(run).toMatchObject({ kind: "sde", status: "done", done: "40/40 steps", steps: 40, seconds: 1 });
    expect(run).toMatchObject({ testAccuracy: 40, testLoss: 40, eigenvalue: 40 });
    expect(run!.settings.get("method.rho")).toBe(0.1);
  });

  it("has of a run that has not ended its last epoch and the marks of its newest checkpoint", async () => {
    const run = fakeRun(join(temporary(), "stopped"), { epochs: 2, settings: probed });
    cutShort(run);
    for (const step of [20, 40])
      writeCheckpoint(run, "train", { step, metricsBytes: 0, timingsBytes: 0, seconds: step / 8 }, { tensors: {} });
    expect(marksOf(run)).toMatchObject({ step: 40, seconds: 5 });
    const epoch = jsonLines<{ kind: string; val: { accuracy: number } }>(
      readFileSync(runFiles(run).metrics, "utf8").replace(/\n[^\n]*$/, "\n"),
    ).findLast(({ kind }) => kind === "epoch")!;
    const { runs } = await listRuns([run]);
    expect(runs[0]).toMatchObject({ status: "stopped", done: "2/3", epochs: 2, steps: 40, seconds: 5 });
    expect(runs[0]).toMatchObject({ valAccuracy: epoch.val.accuracy, testAccuracy: undefined });
  });

  it("tells a run that is at work from one that was killed, failed or is new", async () => {
    const root = temporary();
    for (const name of ["atwork", "killed", "failed", "new"]) fakeRun(join(root, name));
    for (const name of ["atwork", "killed"]) rewrite(join(root, name), { status: "running" });
    rewrite(join(root, "failed"), { status: "failed", error: "the loss is NaN" });
    for (const file of ["record", "metrics", "timings"] as const) rmSync(runFiles(join(root, "new"))[file]);
    writeFileSync(runFiles(join(root, "new")).config, "seed = 3\n[method]\nrho = 0.2\n");
    const claim = await claimRun(join(root, "atwork"));
    const { runs } = await listRuns([root], { sort: "name" });
    claim.release(true);
    expect(runs.map(({ name, status, error }) => [name, status, error])).toEqual([
      ["atwork", "running", undefined],
      ["failed", "failed", "the loss is NaN"],
      ["killed", "killed", undefined],
      ["new", "new", undefined],
    ]);
    expect(Object.fromEntries(runs[3]!.settings)).toEqual({ seed: 3, "method.rho": 0.2 });
  });

  const damages: readonly [what: string, harm: (run: string) => void, expected: RegExp][] = [
    ["a record that is no JSON", (run) => truncateSync(runFiles(run).record, 3), /run\.json: got \{, expected JSON/],
    [
      "a record with another type",
      (run) => rewrite(run, { config: { ...recordOf(run).config, seed: "one" } }),
      /got "one" for config\.seed/,
    ],
    ["a record of another kind", (run) => rewrite(run, { kind: "dance" }), /is a run of kind "dance"/],
    ["no metrics", (run) => rmSync(runFiles(run).metrics), /is complete, but .*metrics\.jsonl is missing/],
    [
      "a damaged line of the probe",
      (run) => {
        const { metrics } = runFiles(run);
        const text = readFileSync(metrics, "utf8");
        writeFileSync(metrics, text.replaceAll(/"eigenvalue":[\d.]+/g, '"eigenvalue":true'));
      },
      /metrics\.jsonl: got true for eigenvalue/,
    ],
    [
      "settings that are no TOML",
      (run) => {
        rmSync(runFiles(run).record);
        writeFileSync(runFiles(run).config, "= 3");
      },
      /config\.toml is no TOML: line 1/,
    ],
  ];
  it.each(damages)("gives a line for %s, and goes on", async (_, harm, expected) => {
    const root = temporary();
    for (const name of ["good", "bad"])
      cpSync(join(folder, "compare/sam-seed1"), join(root, name), { recursive: true });
    harm(join(root, "bad"));
    const { runs, damaged, counts } = await listRuns([root]);
    expect(runs.map(({ name }) => name)).toEqual(["good"]);
    expect(damaged).toMatchObject([{ name: "bad", status: "damaged", error: expect.stringMatching(expected) }]);
    expect(counts).toEqual({ all: 2, damaged: 1 });
    expect((await listRuns([root], { filters: ["seed=1"] })).damaged).toEqual([]);
    expect((await listRuns([root], { filters: ["name=b*"] })).damaged).toHaveLength(1);
  });

  it("says that there is nothing", async () => {
    const empty = temporary();
    mkdirSync(join(empty, "inner"));
    await expect(listRuns([empty])).rejects.toThrow(InputError);
    await expect(listRuns([empty])).rejects.toThrow(`${empty} holds no run`);
    await expect(listRuns([join(empty, "missing")])).rejects.toThrow("is not there");
  });
});

describe("a filter", () => {
  it.each<[filters: string[], expected: string[]]>([
    [["method=sgd", "seed=2"], ["sgd-seed2"]],
    [
      ["method.name=sgd", "seed!=2"],
      ["sgd-seed1", "sgd-seed10"],
    ],
    [["seed=1,10", "method=s?m"], []],
    [
      ["seed = 1,10", "method=s*m", "kind=train"],
      ["sam-seed1", "sam-seed10"],
    ],
    [["name=*seed1"], ["sam-seed1", "sgd-seed1"]],
    [["seed=2..9"], ["sam-seed2", "sgd-seed2", "rho0.1"]],
    [["seed=..1"], ["sam-seed1", "sgd-seed1"]],
    [["seed>=4"], ["sam-seed10", "sgd-seed10", "rho0.1"]],
    [["seed<2"], ["sam-seed1", "sgd-seed1"]],
    [["optimizer.lr=1e-1"], ["sam-seed1", "sgd-seed1"]],
    [
      ["lr<=0.05", "method=sam"],
      ["sam-seed2", "sam-seed10"],
    ],
    [["testAccuracy>95%"], ["rho0.1"]],
    [["testAccuracy=89%..0.92"], ["sam-seed10", "sgd-seed10"]],
    [["schedule.milestones=[10, 30]"], ["sam-seed10", "sgd-seed10"]],
    [
      ["flip=true", "seed=1"],
      ["sam-seed1", "sgd-seed1"],
    ],
    [
      ["date>=2026-01-01", "date<2026-01-02"],
      ["sam-seed1", "sam-seed2", "sam-seed10", "sgd-seed1", "sgd-seed2", "sgd-seed10"],
    ],
    [["method.rho=0.05"], ["sam-seed1", "sam-seed2", "sam-seed10"]],
    [["method.rho!=0.05"], ["sgd-seed1", "sgd-seed2", "sgd-seed10", "rho0.1"]],
    [["method.rho>0"], ["sam-seed1", "sam-seed2", "sam-seed10", "rho0.1"]],
    [["status=failed"], []],
  ])("%j", async (filters, expected) => {
    expect(await short(...filters)).toEqual(expected);
  });

  it.each([
    ["seed", '"seed" is no filter'],
    ["=3", '"=3" is no filter'],
    ["seed=", "is no filter"],
    ["sede=3", 'no run has "sede"\n  hint: did you mean seed?'],
    ["lr<fast", "fast is no number"],
    ["batch=4", "batch is data.batch or measure.batch"],
  ])("is refused as %s", async (filter, message) => {
    const clashing = temporary();
    fakeRun(join(clashing, "a"));
    rewrite(join(clashing, "a"), { config: { ...recordOf(join(clashing, "a")).config, measure: { batch: 3 } } });
    await expect(listRuns([clashing], { filters: [filter] })).rejects.toThrow(ConfigError);
    await expect(listRuns([clashing], { filters: [filter] })).rejects.toThrow(message);
  });
});

describe("an order", () => {
  it.each([
    ["seed:desc,name", "sam-seed10 sgd-seed10 rho0.1 sam-seed2 sgd-seed2 sam-seed1 sgd-seed1"],
    ["method,seed:desc", "sam-seed10 rho0.1 sam-seed2 sam-seed1 sgd-seed10 sgd-seed2 sgd-seed1"],
    ["name:desc", "rho0.1 sgd-seed10 sgd-seed2 sgd-seed1 sam-seed10 sam-seed2 sam-seed1"],
    // What has no such value comes last, in whatever direction.
    ["epochs,seed,method", "sam-seed1 sgd-seed1 sam-seed2 sgd-seed2 sam-seed10 sgd-seed10 rho0.1"],
    ["epochs:desc,seed,method", "sam-seed1 sgd-seed1 sam-seed2 sgd-seed2 sam-seed10 sgd-seed10 rho0.1"],
  ])("%s", async (sort, expected) => {
    const found = await names({ sort });
    expect(found.map((name) => name.split("/").at(-1)).join(" ")).toBe(expected);
  });

  it.each(["seed:down", "seed:desc:asc", "sede"])("is refused as %s", async (sort) => {
    await expect(listRuns([folder], { sort })).rejects.toThrow(ConfigError);
  });
});

it("settings differ by their values, also where only one run has them, and within the kinds that have them", async () => {
  const keys = async (...filters: string[]) =>
    differing((await listRuns([folder], { filters })).runs).map(({ key }) => key);
  expect((await keys("kind=train")).sort()).toEqual([
    "method.name",
    "method.rho",
    "optimizer.lr",
    "schedule.milestones",
    "seed",
  ]);
  expect(await keys("kind=train", "seed=1", "method=sam")).toEqual([]);
  const mixed = await keys("seed=4,10");
  expect(mixed).toContain("data.batch");
  expect(mixed).not.toContain("sde.eta");
});

it("lines from the end are those from the beginning, reversed, whatever is read at a time", () => {
  const file = join(temporary(), "log");
  const random = rng(1, "last-lines");
  for (let trial = 0; trial < 50; trial++) {
    const lines = Array.from({ length: Math.floor(7 * random.uniform()) }, () =>
      "λx".repeat(Math.floor(10 * random.uniform())),
    );
    const cut = trial % 2 === 0 ? "" : '{"cut';
    writeFileSync(file, lines.map((line) => `${line}\n`).join("") + cut);
    for (const chunk of [1, 2, 3, 7, 64]) expect([...lastLines(file, chunk)]).toEqual(lines.toReversed());
  }
});
