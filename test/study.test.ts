import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { studyRuns, studyScales } from "../src/experiments/eigenvector/plan.ts";
import { resultOf, type StudyResult } from "../src/experiments/eigenvector/result.ts";
import { readStudyRecord, recordOf, writeStudyRecord } from "../src/experiments/study/record.ts";
import { isComplete } from "../src/experiments/study/run.ts";
import { trainOrResume } from "../src/train/run-training.ts";
import { type SolverName, solverNames } from "../src/optim/eigenvector.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { runFiles } from "../src/run/files.ts";
import { summarizeStudy } from "../src/experiments/eigenvector/report/summary.ts";
import { writeStudy } from "../src/experiments/eigenvector/report/index.ts";
import { checkConfig } from "../src/train/settings.ts";

/** Ratios that differ from `power`'s of the same seed by exactly 0.1 and 0.3, while seeds differ by more. */
const results: readonly StudyResult[] = ["a", "b"].flatMap((network) =>
  [1, 2, 3].flatMap((seed) =>
    (["power", "free"] as const).map((solver): StudyResult => {
      const gain = solver === "power" ? 0 : network === "a" ? 0.1 : 0.3;
      const moment = (step: number, ratio: number) => ({
        step,
        ratio,
        eigenvalue: 10 * seed,
        subspace: 0.5,
      });
      return {
        name: `${network}-${solver}-seed${seed}`,
        network,
        solver,
        seed,
        steps: 200,
        moments: [moment(20, 0.1 * seed + gain - 0.05), moment(150, 0.1 * seed + gain + 0.05)],
        testAccuracy: 0.9,
        estimates: 2,
        products: solver === "power" ? 10 : 5,
      };
    }),
  ),
);

describe("the study of solvers", () => {
  it("plans every solver on every network and seed, with moments of a seed shared by all solvers", () => {
    const runs = studyRuns("laptop");
    const { networks, seeds } = studyScales.laptop;
    const solvers = new Set(runs.map(({ arm }) => arm));
    for (const solver of solverNames) expect(solvers).toContain(solver);
    expect(runs).toHaveLength(networks.length * seeds.length * solvers.size);
    expect(seeds.length).toBeGreaterThanOrEqual(5);
    expect(networks.length).toBeGreaterThanOrEqual(2);
    expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length);
    const ofSeed = runs
      .filter(({ config }) => config.seed === 3 && config.data.batch === 128)
      .map(({ config }) => config.probe.at);
    for (const moments of ofSeed) expect(moments).toEqual(ofSeed[0]);
  });

  it("pairs gains by seed, so that what differs between seeds does not widen their interval", () => {
    const rows = summarizeStudy(results, 100);
    const free = (network: string) => rows.find((row) => row.network === network && row.solver === "free")!;
    expect(free("a").gain.mean).toBeCloseTo(0.1, 12);
    expect(free("a").gain.ci95).toBeLessThan(1e-12);
    expect(free("a").ratio.ci95).toBeGreaterThan(0.2);
    // Networks are no sample: of constant gains on both, the mean is certain.
    expect(free("all").gain.mean).toBeCloseTo(0.2, 12);
    expect(free("all").gain).toMatchObject({ n: 3 });
    expect(free("all").gain.ci95).toBeLessThan(1e-12);
    // Seed by seed .15, .25, .35 from step 100 on, and the gain.
    expect(free("a").lateRatio.mean).toBeCloseTo(0.25 + 0.1, 12);
    // Two estimates of five products each in 200 steps: 2·(1 + 10)/2.
    expect(rows.find(({ solver }) => solver === "power")!.gradients).toBe(11);
  });

  it("writes figures, a table and a page", async () => {
    const out = mkdtempSync(join(tmpdir(), "eigensam-study-"));
    const report = await writeStudy(results, out);
    for (const path of [...report.figures, ...report.tables, report.html]) expect(existsSync(path), path).toBe(true);
    const [markdown, csv] = report.tables.map((path) => readFileSync(path, "utf8"));
    expect(markdown).toContain("| all | free | 0.40 ± 0.25 | +0.20 ± 0.00 |");
    expect(markdown).toContain(
      "| b | power | 0.20 ± 0.25 |  | 0.25 ± 0.25 |  | 0.50 ± 0.00 | 11.0 | 20.0 ± 24.8 | 90.0 ± 0.0 % |  |",
    );
    const [head, first] = csv!.split("\n").map((line) => line.split(","));
    expect(head).toHaveLength(first!.length);
    expect(first![head!.indexOf("eigenvalueMean")]).toBe("20");
  });

  it("escapes the names of networks and solvers on its page", async () => {
    const odd = results.map((result) => ({ ...result, network: `<${result.network}>` }));
    const { html } = await writeStudy(odd, mkdtempSync(join(tmpdir(), "eigensam-study-")));
    const page = readFileSync(html, "utf8");
    expect(page).toContain("&lt;a&gt;");
    expect(page).not.toMatch(/<a>|<b>/);
  });

  it.each<[SolverName, number]>([
    ["power", 6],
    ["random", 0],
  ])("judges v on the way (%s)", async (solver, products) => {
    const config = checkConfig({
      threads: 1,
      model: { name: "mlp", width: 4 },
      data: { batch: 750, crop: 0, flip: false },
      method: { solver, every: 6, iterations: 3, trust: 1e6 },
      train: { epochs: 1 },
      probe: { at: [6, 11], batches: 1 },
    });
    const plan = { name: "x", network: "mlp", arm: solver, config };
    const run = join(mkdtempSync(join(tmpdir(), "eigensam-study-")), "run");
    await trainOrResume({ config: plan.config, run, listen: () => undefined, stop: new AbortController().signal });
    expect(isComplete(plan, run)).toBe(true);
    const record = recordOf(plan, run);
    const records = join(run, "..", "records");
    writeStudyRecord(records, record);
    expect(readStudyRecord(records, plan)).toEqual(record);
    expect(record.stepsAlongV).toBe(12);
    expect(record.epochs).toHaveLength(1);
    expect(record.seconds.probe).toBeGreaterThan(0);
    const result = resultOf(record);
    expect(() => recordOf({ ...plan, config: { ...config, probe: { ...config.probe, at: [1] } } }, run)).toThrow(
      "was judged at steps 6, 11, expected 1",
    );
    expect(result).toMatchObject({ steps: 12, products, moments: [{ step: 6 }, { step: 11 }] });
    for (const { ratio, subspace, eigenvalue } of result.moments) {
      expect(eigenvalue).toBeGreaterThan(0);
      // No Rayleigh quotient is above the top eigenvalue, which Lanczos finds from below.
      expect(ratio).toBeLessThan(1 + config.probe.tolerance ** 2 + 1e-3);
      expect(subspace).toBeGreaterThanOrEqual(0);
      expect(subspace).toBeLessThan(1 + 1e-5);
    }
    expect(result.testAccuracy).toBeGreaterThan(0.05);
  });

  it("resumes a stopped run to the same bytes, moments included", async () => {
    const config = checkConfig({
      threads: 1,
      model: { name: "mlp", width: 4 },
      data: { batch: 750, crop: 0, flip: false },
      method: { every: 6, iterations: 3 },
      train: { epochs: 1 },
      probe: { at: [2, 6, 10], batches: 1 },
    });
    const plan = { name: "x", network: "mlp", arm: "free", config };
    const folder = mkdtempSync(join(tmpdir(), "eigensam-study-"));
    const [whole, stopped] = [join(folder, "whole"), join(folder, "stopped")];
    await trainOrResume({
      config: plan.config,
      run: whole,
      listen: () => undefined,
      stop: new AbortController().signal,
    });
    const controller = new AbortController();
    const listen = ({ event, ...rest }: TrainEvent) => {
      if (event === "step" && "step" in rest && rest.step === 4) controller.abort();
    };
    expect((await trainOrResume({ config: plan.config, run: stopped, listen, stop: controller.signal })).status).toBe(
      "stopped",
    );
    expect(isComplete(plan, stopped)).toBe(false);
    await trainOrResume({
      config: plan.config,
      run: stopped,
      listen: () => undefined,
      stop: new AbortController().signal,
    });
    for (const file of ["metrics", "weights"] as const)
      expect(readFileSync(runFiles(stopped)[file]).equals(readFileSync(runFiles(whole)[file])), file).toBe(true);
  });
});
