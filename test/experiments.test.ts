import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Experiment, Scale } from "../src/experiments/experiment.ts";
import { type ExperimentName, experimentOf, experiments } from "../src/experiments/index.ts";
import { published } from "../src/experiments/published.ts";
import { WEIGHTS } from "../src/experiments/vit.ts";
import type { StudyRecord } from "../src/experiments/study/record.ts";
import type { StudyRun } from "../src/experiments/study/run.ts";
import { eigensam } from "./support/cli.ts";
import { fakeRecord, type MadeUpRun } from "./support/fake-records.ts";

const names = Object.keys(experiments) as ExperimentName[];
const loaded = new Map<ExperimentName, Experiment>();
for (const name of names) {
  const entry = experimentOf(name);
  if ("load" in entry) loaded.set(name, (await entry.load()).experiment);
}

/** All runs of an experiment and their records, stage by stage. */
function made(experiment: Experiment, scale: Scale, make: (run: StudyRun) => MadeUpRun) {
  const plan = experiment.plans[scale]!;
  let planned = plan([]);
  for (;;) {
    const records = planned.map((run) => fakeRecord(run, make(run)));
    const next = plan(records);
    if (next.length === planned.length)
      return {
        planned,
        records,
        scale,
        command: "the command",
        out: mkdtempSync(join(tmpdir(), "eigensam-experiment-")),
      };
    planned = next;
  }
}

const csvOf = (tables: readonly string[], name: string): Record<string, string>[] => {
  const path = tables.find((each) => basename(each) === `${name}.csv`)!;
  const [head, ...rows] = readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return rows.map((row) => Object.fromEntries(head!.map((key, i) => [key, row[i]!])));
};

/** The same for every run of a seed, so that no mean has a spread. */
const settled = (value: number): MadeUpRun => ({ testAccuracy: value, valAccuracy: value });

describe.each([...loaded])("the experiment %s", (_, experiment) => {
  it.each(Object.keys(experiment.plans) as Scale[])(
    "has runs of its own names, with seeds in pairs, at scale %s",
    (scale) => {
      const { planned } = made(experiment, scale, () => settled(0.5));
      expect(planned.length).toBeGreaterThan(1);
      expect(new Set(planned.map(({ name }) => name)).size).toBe(planned.length);
      for (const { name } of planned) expect(name).toMatch(/^[\w.+-]+$/);
      const seedsOf = (run: StudyRun) =>
        planned
          .filter(({ arm, network }) => arm === run.arm && network === run.network)
          .filter(({ config }) => config.data.name === run.config.data.name)
          .map(({ config }) => config.seed);
      // Seeds of one arm are those of every arm of its stage.
      const kinds = new Set(planned.map((run) => seedsOf(run).toSorted().join()));
      expect(kinds.size).toBeLessThanOrEqual(2);
      for (const run of planned) expect(new Set(seedsOf(run)).size).toBe(seedsOf(run).length);
    },
  );
});

describe("the experiment vit", () => {
  it("has means with 95 % intervals, and fine-tunes ViT-B/16 from a file at full scale", async () => {
    const experiment = loaded.get("vit")!;
    const all = made(experiment, "smoke", ({ config }) => settled(config.seed === 1 ? 0.5 : 0.6));
    const { tables } = await experiment.write(all);
    const rows = csvOf(tables, "accuracy");
    expect(rows.map(({ method }) => method)).toEqual(["sgd", "sam", "eigen-sam"]);
    for (const row of rows) {
      expect(Number(row.mean)).toBeCloseTo(55, 10);
      // 12.706 is the 97.5 % quantile of Student's t with one degree of freedom; the deviation of 50 and 60 is 10/√2.
      expect(Number(row.ci95)).toBeCloseTo((12.7062 * 10) / Math.SQRT2 / Math.SQRT2, 2);
      expect(row.published).toBe("");
    }
    const full = experiment.plans.full!([]);
    expect(full).toHaveLength(2 * 3 * 5);
    for (const { config } of full)
      expect(config.model).toMatchObject({ name: "vit-b16", resize: 224, newHead: true, weights: resolve(WEIGHTS) });
  });
});

describe("reports of experiments", () => {
  const write = async (name: ExperimentName, make: (run: StudyRun) => MadeUpRun, options: { iqm?: boolean } = {}) => {
    const experiment = loaded.get(name)!;
    const all = { ...made(experiment, "smoke", make), ...options };
    return { ...(await experiment.write(all)), ...all, page: readFileSync(join(all.out, "report.html"), "utf8") };
  };

  it("accuracy: choose ρ and α by validation, and train what was chosen on all images", async () => {
    // The best of SAM is its second radius, of Eigen-SAM the second radius and the first α; test scores say otherwise.
    const worth = ({ config: { method } }: StudyRun) => {
      const alpha = (method as { alpha?: number }).alpha;
      return 0.4 + (method.rho === 0.1 ? 0.1 : 0) + (alpha === 0.1 ? 0.05 : 0);
    };
    const { planned, tables } = await write("accuracy", (run) => ({
      ...{ valAccuracy: worth(run), testAccuracy: 1 - worth(run) },
    }));
    const choosing = planned.filter(({ name }) => name.startsWith("choose-"));
    const reported = planned.filter((run) => !choosing.includes(run));
    expect(choosing.every(({ config }) => config.data.validation === 0.1)).toBe(true);
    expect(reported.every(({ config }) => config.data.validation === 0)).toBe(true);
    const seeds = (runs: readonly StudyRun[]) => new Set(runs.map(({ config }) => config.seed));
    expect([...seeds(reported)].some((seed) => seeds(choosing).has(seed))).toBe(false);
    expect(
      new Set(
        reported.map(
          ({ config: { method } }) => `${method.name} ${method.rho} ${(method as { alpha?: number }).alpha}`,
        ),
      ),
    ).toEqual(new Set(["sgd undefined undefined", "sam 0.1 undefined", "eigen-sam 0.1 0.1"]));
    expect(csvOf(tables, "chosen").map((row) => [row.method, row.validationAccuracy])).toEqual([
      ["sam", "0.5"],
      ["eigen-sam", "0.55"],
    ]);
    const rows = csvOf(tables, "published");
    expect(rows).toHaveLength(1 + published.length);
    expect(rows[0]).toMatchObject({ data: "fashion-mini", source: "these runs" });
    expect([Number(rows[0]!.sgd), Number(rows[0]!.sam), Number(rows[0]!.eigenSam)]).toEqual([
      expect.closeTo(60, 10),
      expect.closeTo(50, 10),
      expect.closeTo(45, 10),
    ]);
  });

  it("accuracy: count the runs to come, and say in captions what was chosen", async () => {
    const { forecast, plans } = loaded.get("accuracy")!;
    const [first, all] = [plans.laptop!([]), forecast!("laptop", [])];
    expect([first.length, all.length]).toEqual([12, 27]);
    const { page, out, planned } = await write("accuracy", () => settled(0.5));
    expect(forecast!("smoke", []).map(({ name }) => name)).toEqual(planned.map(({ name }) => name));
    // Of both figures, the results and their differences.
    expect(page.split("were chosen on validation images").length - 1).toBe(4);
    expect(readFileSync(join(out, "tables/results.md"), "utf8")).toContain("were chosen on validation images");
    const begun = made(loaded.get("accuracy")!, "smoke", () => settled(0.5));
    const choosing = begun.records.filter(({ name }) => name.startsWith("choose-"));
    await loaded.get("accuracy")!.write({ ...begun, records: choosing });
    const unfinished = readFileSync(join(begun.out, "report.html"), "utf8");
    expect(unfinished).not.toContain("were chosen on validation images");
    expect(unfinished).toContain("6 runs, made by the command: fashion-mini-resnet18-sgd-seed2");
  });

  it("are of the paper's recipe at full scale", () => {
    const plan = loaded.get("accuracy")!.forecast!("full", []);
    const tasks = new Set(plan.map(({ config, network }) => `${config.data.name} ${network}`));
    expect(tasks.size).toBe(12);
    const others = (["reverse", "alignment"] as const).flatMap((name) => loaded.get(name)!.plans.full!([]));
    for (const { config, name, arm } of [...plan, ...others]) {
      const { data, optimizer, schedule, train, method } = config;
      expect(data).toMatchObject({ batch: 256, crop: 4, flip: true, examples: 0 });
      expect(data.validation).toBe(name.startsWith("choose-") ? 0.1 : 0);
      expect(optimizer).toMatchObject({ name: "sgd", lr: data.name === "svhn" ? 0.01 : 0.1, momentum: 0.9 });
      expect([optimizer.weightDecay, optimizer.nesterov]).toEqual([5e-4, false]);
      expect([schedule.name, schedule.warmup, train.epochs, train.labelSmoothing]).toEqual(["cosine", 0, 200, 0]);
      if (method.name === "eigen-sam" && arm !== "placebo")
        expect(method).toMatchObject({ solver: "power", every: 100, iterations: 5, warmup: "estimate" });
    }
    const chosen = plan.filter(({ name }) => name.startsWith("choose-cifar10-resnet18-eigen-sam"));
    expect(new Set(chosen.map(({ config }) => (config.method as { alpha?: number }).alpha))).toEqual(
      new Set([0.05, 0.1, 0.2]),
    );
  });

  it("eigenvector: report the seeds that are complete", async () => {
    const all = made(loaded.get("eigenvector")!, "smoke", () => settled(0.5));
    const lacking = all.planned.filter(({ config }) => config.seed === 2);
    expect(lacking.length).toBeGreaterThan(1);
    const records = all.records.filter(({ name }) => name !== lacking[1]!.name);
    await expect(loaded.get("eigenvector")!.write({ ...all, records: records.slice(1) })).rejects.toThrow(
      "no seed is complete",
    );
  });

  it("accuracy: report nothing as chosen until every candidate is scored", () => {
    const plan = loaded.get("accuracy")!.plans.smoke!;
    const all = plan([]).map((run) => fakeRecord(run, settled(0.5)));
    expect(plan(all.slice(1))).toHaveLength(all.length);
    expect(plan(all).length).toBeGreaterThan(all.length);
    // A candidate that diverged is never chosen.
    const { method } = all[0]!.config as { method: { rho: number } };
    const broken = all.map(
      (record, i): StudyRecord => (i === 0 ? { ...record, status: "diverged", test: null } : record),
    );
    const chosen = plan(broken).filter(
      ({ name, config }) => !name.startsWith("choose-") && config.method.name === "sam",
    );
    expect(chosen.map(({ config }) => config.method.rho)).not.toContain(method.rho);
  });

  it("alignment: compare λ₁ at equal loss", async () => {
    const factor = { sgd: 1, sam: 0.5, "eigen-sam": 0.4, placebo: 0.5 };
    const { tables, page } = await write("alignment", ({ arm, config }) => ({
      ...settled(0.5),
      sharpness: 10 * factor[arm as keyof typeof factor] * (1 + 0.1 * config.seed),
      alignment: (arm === "eigen-sam" ? 0.5 : 0.3) + 0.01 * config.seed,
    }));
    const rows = csvOf(tables, "matched");
    expect(rows).toHaveLength(6);
    for (const { minuend, subtrahend, logRatioMean } of rows) {
      const [a, b] = [minuend, subtrahend].map((arm) => factor[arm as keyof typeof factor]);
      expect(Number(logRatioMean)).toBeCloseTo(Math.log(a! / b!), 10);
    }
    expect(page).toContain("−60.0 %");
    const pairs = csvOf(tables, "alignment-pairs");
    expect(pairs.map(({ minuend, subtrahend }) => `${minuend} − ${subtrahend}`)).toEqual([
      "eigen-sam − sam",
      "placebo − sam",
      "placebo − eigen-sam",
    ]);
    expect(pairs.map(({ mean }) => Number(mean))).toEqual([0.2, 0, -0.2].map((value) => expect.closeTo(value, 10)));
    expect(page).toContain("Alignment of the perturbation");
  });

  it("have interquartile means where they are asked for", async () => {
    const make = ({ config }: StudyRun) => settled(0.5 + 0.01 * config.seed);
    const { tables } = await write("reverse", make, { iqm: true });
    const rows = csvOf(tables, "iqm");
    expect(rows.map(({ runs }) => runs)).toEqual(Array(5).fill("2"));
    // Of two runs, no quarter is a whole one.
    for (const { testAccuracyPercentIqm } of rows) expect(Number(testAccuracyPercentIqm)).toBeCloseTo(51.5, 10);
    expect((await write("reverse", make)).tables.some((path) => path.endsWith("iqm.csv"))).toBe(false);
    for (const [name, { ownReport }] of loaded)
      if (ownReport) {
        const { status, stderr } = await eigensam(["paper", name, "--scale", "smoke", "--iqm"]);
        expect([status, stderr]).toEqual([
          2,
          expect.stringContaining(`the report of ${name} has no interquartile means`),
        ]);
      }
  });

  it("overhead: give steps over SGD's and memory", async () => {
    const seconds = { sgd: 0.01, sam: 0.02, "eigen-sam free": 0.021, "eigen-sam power": 0.025 };
    const { tables } = await write("overhead", ({ arm }) => ({
      ...{ testAccuracy: 0.5, stepSeconds: seconds[arm as keyof typeof seconds], memoryMiB: 100 },
    }));
    expect(csvOf(tables, "cost").map(({ method, overSgd, memoryMiB }) => [method, Number(overSgd), memoryMiB])).toEqual(
      Object.entries(seconds).map(([arm, value]) => [arm, expect.closeTo(value / 0.01, 10), "100"]),
    );
  });

  it("sensitivity: a cell per ρ and α, and a row per k and p", async () => {
    const { tables, figures, out } = await write("sensitivity", ({ config: { method, data } }) => {
      const alpha = (method as { alpha?: number }).alpha ?? 0;
      return settled(0.1 + Number(method.rho) + alpha / 10 + (data.labelNoise > 0 ? 0.3 : 0));
    });
    expect(figures.map((path) => basename(path)).filter((name) => name.endsWith(".svg"))).toEqual([
      "rho-alpha.svg",
      "rho-alpha-noise-30.svg",
    ]);
    const svg = readFileSync(join(out, "figures/rho-alpha.svg"), "utf8");
    for (const text of ["15.0", "17.0", "20.0", "22.0", "0 (SAM)"]) expect(svg).toContain(text);
    // α = 0.2 adds 0.02 to every radius, in both series.
    const mixing = csvOf(tables, "mixing");
    expect(mixing.map(({ labelNoise, alpha, seeds }) => [labelNoise, alpha, seeds])).toEqual([
      ["0", "0.2", "2"],
      ["0.3", "0.2", "2"],
    ]);
    for (const { mean } of mixing) expect(Number(mean)).toBeCloseTo(2, 10);
    expect(csvOf(tables, "estimates").map(({ k, p }) => [k, p])).toEqual([
      ["10", "1"],
      ["10", "5"],
    ]);
  });

  it("label noise: a line per method over the part of wrong labels", async () => {
    const { figures, page } = await write("label-noise", ({ config: { data, seed } }) =>
      settled(0.8 - data.labelNoise / 2 + 0.001 * seed),
    );
    expect(figures.filter((path) => path.endsWith(".svg")).map((path) => basename(path))).toEqual([
      "accuracy-by-noise.svg",
      "loss-by-noise.svg",
    ]);
    for (const text of ["placebo", "Eigen-SAM", "SAM", "SGD", "wrong training labels"]) expect(page).toContain(text);
  });

  it("say how many runs are missing, and which diverged", async () => {
    const experiment = loaded.get("reverse")!;
    const all = made(experiment, "smoke", () => settled(0.5));
    const records = all.records
      .slice(1)
      .map((record, i): StudyRecord => (i === 0 ? { ...record, status: "diverged", test: null } : record));
    await experiment.write({ ...all, records });
    const page = readFileSync(join(all.out, "report.html"), "utf8");
    expect(page).toContain(`smoke; ${records.length} of ${all.planned.length} runs are made`);
    expect(page).toContain(records[0]!.name);
    expect(page).toContain(`1 run, made by the command: ${all.planned[0]!.name}`);
  });
});
