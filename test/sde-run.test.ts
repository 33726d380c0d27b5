import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { seedList } from "../src/cli/seeds.ts";
import { plannedRuns, sdeSettings } from "../src/experiments/sde/config.ts";
import { loadProblem } from "../src/experiments/sde/problem.ts";
import { processNames } from "../src/experiments/sde/processes.ts";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { trainingMethodNames } from "../src/optim/methods/index.ts";
import { writeSdeReport } from "../src/experiments/sde/report/index.ts";
import { quantities, quantityNames, readSdeRun } from "../src/experiments/sde/report/read.ts";
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
  it("measures all processes from one point on, and the SDEs leave the discrete path", () => {
    const read = readSdeRun(run);
    expect(read.processes).toEqual(processNames);
    for (const quantity of quantityNames) {
      const curves = processNames.map((name) => read.curve(name, quantity));
      for (const curve of curves) expect(curve.map(({ x }) => x)).toEqual([0, 10, 20, 30, 40]);
      expect(new Set(curves.map((curve) => curve[0]!.y)).size).toBe(1);
    }
    expect(new Set(processNames.map((name) => read.curve(name, "norm").at(-1)!.y)).size).toBe(processNames.length);
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

  it("gives the SGD SDE the same path at every radius, and the third order another", async () => {
    const other = join(folder, "rho0.05-seed1");
    await runHere(other, smallRun(["method.rho=0.05", 'sde.processes=["discrete","third","sgd"]']));
    const [a, b] = [readSdeRun(run), readSdeRun(other)];
    expect(a.curve("sgd", "norm")).toEqual(b.curve("sgd", "norm"));
    expect(a.curve("third", "norm")).not.toEqual(b.curve("third", "norm"));
  });

  it("with one mini-batch per step is the discrete algorithm, whatever ξ", async () => {
    const [one, few] = [join(folder, "one"), 'sde.processes=["exact","third"]'];
    await runHere(one, smallRun(["method.name=egr", "sde.batches=1", "dtype=f64", "sde.steps=10", few]));
    const read = readSdeRun(one);
    // EGR is its own third-order expansion.
    const [exact, third] = [read.curve("exact", "norm"), read.curve("third", "norm")];
    exact.forEach(({ y }, i) => {
      expect(third[i]!.y).toBeCloseTo(y, 12);
    });
  });

  it.each(trainingMethodNames)("knows %s", async (name) => {
    const path = join(folder, name);
    const short = ["sde.steps=2", "measure.every=2", "method.every=1", 'sde.processes=["discrete","third"]'];
    await runHere(path, smallRun([`method.name=${name}`, ...short]));
    const read = readSdeRun(path);
    expect(read.diverged).toEqual({});
    expect(read.curve("third", "trainLoss")).toHaveLength(2);
  });

  it("retires a process that diverges, and the figure does without it", async () => {
    const path = join(folder, "diverged");
    const few = 'sde.processes=["discrete","third"]';
    await runHere(path, smallRun(["method.rho=1e9", "sde.steps=20", "dtype=f32", few]));
    expect(readSdeRun(path).diverged).toHaveProperty("third");
    const { distances, html } = await writeSdeReport([path], join(folder, "report"));
    expect(distances).toEqual([]);
    expect(readFileSync(html, "utf8")).toMatch(/third-order SDE at ρ = 1000000000, seed 1: diverged at step \d+</);
  });
});

describe("the distances to the discrete method", () => {
  it("are means over time of differences of means over seeds", async () => {
    const second = join(folder, "rho0.1-seed2");
    await runHere(second, smallRun([], 2));
    const { html, distances, figures, tables } = await writeSdeReport([run, second], join(folder, "figure"));
    expect([figures.length, tables.length]).toEqual([2, 6]);
    const page = readFileSync(html, "utf8");
    for (const text of ["<dt>seeds</dt><dd>1, 2</dd>", "Distance to discrete SAM</h2>", "Error of the drift</h2>"])
      expect(page).toContain(text);
    expect(page.match(/<svg/g)).toHaveLength(1);
    expect(distances).toHaveLength(5 * 6);
    const reads = [run, second].map(readSdeRun);
    const difference = (i: number) =>
      reads.map((read) => read.curve("third", "norm")[i]!.y - read.curve("discrete", "norm")[i]!.y);
    const at = [1, 2, 3, 4].map((i) => difference(i).reduce((a, b) => a + b, 0) / 2);
    const own = distances.find(({ process, quantity }) => process === "third" && quantity === "norm")!;
    expect(own.distance).toBeCloseTo(
      at.reduce((s, d) => s + Math.abs(d) / 4, 0),
      12,
    );
    expect(own.bias).toBeCloseTo(
      at.reduce((s, d) => s + d / 4, 0),
      12,
    );
  });
});

describe("the figure", () => {
  it("has six panels, each with its distances, and a line per drawn process", () => {
    const svg = readFileSync(join(folder, "figure", "figures", "sde-rho0.1.svg"), "utf8");
    for (const name of quantityNames) expect(svg).toContain(`>${quantities[name].title}</text>`);
    expect(svg.match(/>2nd [-\d.e]+ · 3rd [-\d.e]+ · SGD [-\d.e]+( points)?</g)).toHaveLength(6);
    for (const label of ["discrete SAM", "second-order SDE", "third-order SDE", "SGD SDE"])
      expect(svg).toContain(`>${label}</text>`);
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

  it("must be the settings of the run that is there, and one that is not complete", () => {
    expect(() => sdeRun.ensure(run, smallRun(["sde.eta=0.1"]))).toThrow("was made with other settings");
    expect(() => sdeRun.assertResumable(run)).toThrow("is complete");
  });
});
