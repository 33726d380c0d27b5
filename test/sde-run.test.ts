import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { seedList } from "../src/cli/seeds.ts";
import { plannedRuns, sdeSettings } from "../src/experiments/sde/config.ts";
import { loadProblem } from "../src/experiments/sde/problem.ts";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { writeSdeReport } from "../src/experiments/sde/report/index.ts";
import { quantityNames, readSdeRun } from "../src/experiments/sde/report/read.ts";
import { drawIndices } from "../src/sde/draw.ts";
import { rng } from "../src/util/rng.ts";
import { runHere, smallRun } from "./support/sde-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-sde-"));
const run = join(folder, "rho0.1-seed1");
const killed = join(folder, "killed");
const killedAtOnce = join(folder, "killed at once");
const config = smallRun();
beforeAll(async () => {
  const outcome = await runHere(run, config, (event) => {
    // What a kill would leave here: measurements of step 20 in part, the checkpoint of step 10.
    const half = event.event === "measure" && event.step === 20 && event.process === "third";
    if (half) cpSync(run, killed, { recursive: true });
    const first = event.event === "measure" && event.step === 0 && event.process === "third";
    if (first) cpSync(run, killedAtOnce, { recursive: true });
  });
  expect(outcome).toBe("done");
});

/** The vectors of a checkpoint; what stands before them tells the time spent. */
const vectors = (path: string) => {
  const bytes = readFileSync(checkpointsOf(path).at(-1)!);
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
};
function expectSameBytes(path: string) {
  expect(readFileSync(runFiles(path).metrics, "utf8")).toBe(readFileSync(runFiles(run).metrics, "utf8"));
  expect(vectors(path).equals(vectors(run))).toBe(true);
}

describe("a run of the SDE experiment", () => {
  it("measures all paths from one point on, at every step that is due", () => {
    const read = readSdeRun(run);
    expect(read.paths).toEqual(["discrete", "second", "third", "sgd", "exact", "repeat", "repeat2"]);
    for (const quantity of quantityNames) {
      const curves = read.paths.map((name) => read.curve(name, quantity));
      for (const curve of curves) expect(curve.map(({ x }) => x)).toEqual([0, 10, 20, 30, 40]);
      expect(new Set(curves.map((curve) => curve[0]!.y)).size).toBe(1);
    }
  });

  it("that was killed goes on to the same bytes", async () => {
    expect(sdeRun.readRecord(killed)?.status).toBe("running");
    const steps: number[] = [];
    await runHere(killed, config, (event) => event.event === "measure" && steps.push(event.step));
    expect(steps[0]).toBe(20);
    expectSameBytes(killed);
  });

  it("that was killed in its first measurement begins again, and ends with the same bytes", async () => {
    expect(readFileSync(runFiles(killedAtOnce).metrics, "utf8")).not.toBe("");
    await runHere(killedAtOnce, config);
    expectSameBytes(killedAtOnce);
  });

  it("keeps two checkpoints", () => {
    expect(checkpointsOf(run).map((path) => basename(path))).toEqual([
      "step-00000030.safetensors",
      "step-00000040.safetensors",
    ]);
  });

  it("that was stopped saves where it is, and goes on to the same bytes", async () => {
    const stopped = join(folder, "stopped");
    const outcome = await runHere(stopped, config, (event, stop) => {
      if (event.event === "measure" && event.step === 10) stop();
    });
    expect([outcome, sdeRun.readRecord(stopped)?.status, sdeRun.readRecord(stopped)?.step]).toEqual([
      "stopped",
      "stopped",
      10,
    ]);
    expect(await runHere(stopped, sdeRun.readConfig(stopped))).toBe("done");
    expectSameBytes(stopped);
  });

  it("retires a process that diverges, and the figure does without it", async () => {
    const path = join(folder, "diverged");
    const few = 'sde.processes=["discrete","third"]';
    await runHere(path, smallRun(["method.rho=1e20", "sde.steps=20", "dtype=f32", few]));
    expect(readSdeRun(path).diverged).toHaveProperty("third");
    const { distances, html } = await writeSdeReport([path], join(folder, "report"));
    expect(distances).toEqual([]);
    expect(readFileSync(html, "utf8")).toMatch(
      /third-order SDE at ρ = 100000000000000000000, seed 1: diverged at step \d+</,
    );
  });
});

describe("drawn mini-batches", () => {
  it("hold different images, and every image equally often", () => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 4000; i++) {
      const drawn = drawIndices(rng(1, "draw", i), 10, 4);
      expect(new Set(drawn).size).toBe(4);
      for (const index of drawn) counts[index]!++;
    }
    // Each is drawn 1600 times, with a standard deviation of √(4000·0.4·0.6) = 31.
    for (const count of counts) expect(Math.abs(count - 1600)).toBeLessThan(4 * 31);
    expect([...drawIndices(rng(1, "all"), 5, 5)].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("what is given to the experiment", () => {
  it("may be a list of radii and of seeds", () => {
    const planned = plannedRuns(sdeSettings.resolve("", ["method.rho=[0.1, 0.2]"]), seedList("1..2,7"));
    expect(planned.map(({ name }) => name)).toEqual(
      [0.1, 0.2].flatMap((rho) => [1, 2, 7].map((seed) => `rho${rho}-seed${seed}`)),
    );
  });

  it.each(["5..1", "a", "1-3", "", "1..", "-1"])("may not be the seeds %j", (text) => {
    expect(() => seedList(text)).toThrow(`is "${text}"`);
  });

  it.each([
    ["sde.etta=1", "there is no setting sde.etta\n  hint: did you mean sde.eta?"],
    ['sde.processes=["fourth"]', "sde.processes"],
    ["method.rho=[]", "method.rho"],
    ["method.rho=-1", "method.rho"],
    ["method.name=samm", "did you mean sam?"],
    ["sde.replicates=1", "sde.replicates is 1, but sde.processes has repeat"],
    ["model.name=resnet18", "model.name"],
    ["model.activation=relu", "model.activation"],
    ["dtype=f16", "dtype is"],
  ])("may not be the setting %s", (setting, message) => {
    expect(() => sdeSettings.resolve("", [setting])).toThrow(message);
  });

  it.each([
    ["data.train=20000", "data.train is 20000, but fashion-mini has 10000 examples"],
    ["data.batch=61", "data.batch is 61, but there are 60 training images"],
  ])("must fit the images: %s", async (setting, message) => {
    await expect(loadProblem(smallRun([setting]))).rejects.toThrow(message);
  });

  it("must be the settings of the run that is there, and one that is not complete", async () => {
    await expect(sdeRun.ensure(run, smallRun(["sde.eta=0.2"]))).rejects.toThrow("was made with other settings");
    expect(() => sdeRun.assertResumable(run)).toThrow("is complete");
  });
});
