import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeReports } from "../src/experiments/report.ts";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { writeReport } from "../src/report/index.ts";
import { iqmTable } from "../src/report/iqm-table.ts";
import { percentileInterval, stratifiedBootstrap } from "../src/util/bootstrap.ts";
import { rng } from "../src/util/rng.ts";
import { interquartileMean } from "../src/util/statistics.ts";
import { type FakeRun, fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";
import { fakeSdeRun } from "./support/fake-sde-runs.ts";

interface Golden {
  readonly cases: readonly { readonly values: readonly number[]; readonly mean: number }[];
}
const golden: Golden = JSON.parse(readFileSync("test/golden/iqm.json", "utf8"));

describe("an interquartile mean", () => {
  it.each(golden.cases.map(({ values, mean }) => [values.length, values, mean] as const))(
    "of %i values is scipy's",
    (_, values, mean) => {
      expect(interquartileMean(values)).toBeCloseTo(mean, 13);
    },
  );

  it("is none of no values", () => {
    expect(interquartileMean([])).toBeNaN();
  });
});

/** All samples of a stratum with replacement, each as likely as any other. */
const samplesOf = (stratum: readonly number[]): number[][] =>
  stratum.reduce<number[][]>((samples) => samples.flatMap((sample) => stratum.map((x) => [...sample, x])), [[]]);

describe("a stratified bootstrap", () => {
  const strata = [
    [1, 4],
    [10, 12, 17],
  ];

  it("has the distribution of all samples of each stratum by itself, which are enumerated", () => {
    const [first, second] = strata.map(samplesOf);
    const exact = first!.flatMap((a) => second!.map((b) => interquartileMean([...a, ...b])));
    expect(exact).toHaveLength(4 * 27);
    const draws = 40_000;
    const drawn = stratifiedBootstrap(strata, draws, rng(1, "enumerated"), interquartileMean);
    for (const value of new Set(exact)) {
      const part = (values: readonly number[]) =>
        values.filter((x) => Math.abs(x - value) < 1e-12).length / values.length;
      const p = part(exact);
      // Four standard deviations of a share.
      expect(Math.abs(part(drawn) - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    }
  });

  it("never takes a value of one stratum in place of another's", () => {
    const counts = stratifiedBootstrap(strata, 100, rng(1, "apart"), (values) => values.filter((x) => x < 5).length);
    expect(new Set(counts)).toEqual(new Set([2]));
  });
});

describe("the interval of an interquartile mean", () => {
  it("holds the truth about 95 times in a hundred: four tasks of five seeds, normal around values of their own", () => {
    const random = rng(7, "coverage");
    const tasks = [0, 1, 10, 12];
    const sample = () => tasks.map((mean) => Array.from({ length: 5 }, () => mean + random.normal()));
    const many = 20_000;
    let truth = 0;
    for (let i = 0; i < many; i++) truth += interquartileMean(sample().flat()) / many;
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const strata = sample();
      const drawn = stratifiedBootstrap(strata, 300, random, interquartileMean);
      const [low, high] = percentileInterval(drawn, 5, 16)!;
      held += Number(low <= truth && truth <= high) / trials;
    }
    // ±0.03 is three standard deviations of 400 trials.
    expect(held).toBeGreaterThan(0.91);
    expect(held).toBeLessThan(0.98);
  });

  it("takes two seeds of each task, and four runs more than tasks", () => {
    const values = [1, 2, 3];
    expect(percentileInterval(values, 1, 20)).toBeUndefined();
    expect(percentileInterval(values, 2, 3)).toBeUndefined();
    expect(percentileInterval(values, 2, 4)).toBeDefined();
    expect(percentileInterval(values, 5)).toEqual(percentileInterval(values, 5, 4));
  });
});

describe("the table of interquartile means", () => {
  const settings = (name: string, method: object = {}) => ({ data: { name }, method });
  function folderOf(runs: readonly FakeRun[]): string {
    const folder = temporary();
    for (const [i, run] of runs.entries()) fakeRun(join(folder, `run-${i}`), run);
    return folder;
  }
  const groupsOf = (runs: readonly FakeRun[]): Group[] => groupRuns(findRuns([folderOf(runs)]).runs);
  const seeds = (...[run, count]: [FakeRun, number]) =>
    Array.from({ length: count }, (_, i) => ({ ...run, seed: i + 1 }));
  const column = (groups: readonly Group[], i: number) => iqmTable(groups)!.rows.map((row) => row[i]!.text);

  it("has a row per method over all data sets, of all its runs", () => {
    const groups = groupsOf(
      ["sgd", "sam"].flatMap((method) =>
        ["fashion-mini", "svhn"].flatMap((name, i) =>
          seeds({ method, better: 0.1 * i, settings: settings(name) }, method === "sgd" ? 3 : 4),
        ),
      ),
    );
    expect(column(groups, 0)).toEqual(["SGD", "SAM"]);
    expect(column(groups, 1)).toEqual(["2", "2"]);
    expect(column(groups, 2)).toEqual(["6", "8"]);
    const accuracies = groups
      .filter(({ method }) => method === "sam")
      .flatMap(({ runs }) => runs.map(({ record }) => 100 * record.result!.test!.accuracy!));
    const [, sam] = iqmTable(groups)!.csv.slice(1);
    expect(sam![3]).toBeCloseTo(interquartileMean(accuracies), 12);
    expect(column(groups, 3)[1]).toBe(interquartileMean(accuracies).toFixed(2));
    const [low, high] = sam!.slice(4) as number[];
    expect(low).toBeLessThan(sam![3] as number);
    expect(high).toBeGreaterThan(sam![3] as number);
    expect(column(groups, 4)[1]).toBe(`${low!.toFixed(2)} – ${high!.toFixed(2)}`);
    expect(iqmTable(groups)).toEqual(iqmTable(groups));
    expect(iqmTable(groups)!.note).not.toMatch(/cannot be compared|takes two seeds/);
  });

  it("is of one method where a setting was chosen for each data set, and of several where one data set has both", () => {
    const chosen = [
      ...seeds({ settings: settings("fashion-mini", { rho: 0.1 }) }, 3),
      ...seeds({ settings: settings("svhn", { rho: 0.2 }) }, 3),
    ];
    expect(column(groupsOf(chosen), 0)).toEqual(["SAM"]);
    const both = groupsOf([...chosen, ...seeds({ settings: settings("svhn", { rho: 0.1 }) }, 3)]);
    expect(column(both, 0)).toEqual(["SAM ρ=0.1", "SAM ρ=0.2"]);
    expect(column(both, 1)).toEqual(["2", "1"]);
    expect(iqmTable(both)!.note).toContain("other tasks than others: their numbers cannot be compared");
  });

  it("counts the part of wrong labels to the task", () => {
    const groups = groupsOf([0, 0.3].flatMap((labelNoise) => seeds({ settings: { data: { labelNoise } } }, 2)));
    expect(column(groups, 0)).toEqual(["SAM"]);
    expect(column(groups, 1)).toEqual(["2"]);
  });

  it("has no interval where there are too few seeds, and is none where nothing is complete", () => {
    const few = iqmTable(groupsOf(seeds({}, 4)))!;
    expect(few.rows[0]![4]!.text).toBe("–");
    expect(few.csv[1]!.slice(4)).toEqual(["", ""]);
    expect(few.note).toContain("takes two seeds of each task");
    expect(iqmTable(groupsOf(seeds({}, 5)))!.rows[0]![4]!.text).toContain(" – ");
    expect(iqmTable(groupsOf(seeds({ epochs: 1 }, 2)))).toBeNull();
  });

  it("is in a report on request alone", async () => {
    const folder = fakeRuns(["sgd", "sam"], [1, 2, 3, 4, 5], { diagnostics: false });
    const out = join(folder, "out");
    const [report] = await writeReports([folder], out, { iqm: true });
    expect(report!.tables).toContain(join(out, "tables/iqm.md"));
    expect(readFileSync(report!.html, "utf8")).toContain("Interquartile means over tasks and seeds");
    expect(readFileSync(join(out, "tables/iqm.csv"), "utf8").split("\n")).toHaveLength(4);
    await writeReport([folder], out);
    expect(existsSync(join(out, "tables/iqm.csv"))).toBe(false);
  });

  it("is missed where no run is complete, and refused where there are no training runs", async () => {
    const stopped = fakeRuns(["sgd"], [1], { epochs: 1, diagnostics: false });
    const { html } = await writeReport([stopped], join(stopped, "out"), { iqm: true });
    expect(readFileSync(html, "utf8")).toContain("Interquartile means: no complete run has a test accuracy");
    const folder = temporary();
    const sde = fakeSdeRun(join(folder, "sde"), { value: () => 1 });
    await expect(writeReports([sde], join(folder, "out"), { iqm: true })).rejects.toThrow(
      "no run of eigensam train for interquartile means (--iqm)",
    );
  });
});
