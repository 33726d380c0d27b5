import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { testsOf } from "../src/experiments/eigen-sam/analysis.ts";
import { decide, rowsOf } from "../src/experiments/eigen-sam/decision.ts";
import { costOf, leftPlateau, qualityOf } from "../src/experiments/eigen-sam/endpoints.ts";
import { matchedSharpness } from "../src/experiments/eigen-sam/matched-loss.ts";
import { type ArmName, armNames, eigenSamRuns, plans } from "../src/experiments/eigen-sam/plan.ts";
import { writeEigenSam } from "../src/experiments/eigen-sam/report.ts";
import { readStudyRecord, type StudyRecord, writeStudyRecord } from "../src/experiments/study/record.ts";
import { paper } from "../src/cli/commands/paper.ts";

const newFolder = () => mkdtempSync(join(tmpdir(), "eigensam-study-"));
const planned = eigenSamRuns("laptop");
const { seeds, looks } = plans.laptop;

/** What is made up of an arm: log λ₁ above SAM's, v̂ᵀH̄v̂/λ₁, and Hessian-vector products. */
interface MadeUp {
  readonly log: number;
  readonly ratio: number;
  readonly products: number;
}

const madeUp: Readonly<Record<ArmName, MadeUp>> = {
  sam: { log: 0, ratio: 0, products: 0 },
  power: { log: 0, ratio: 0.5, products: 75 },
  spread: { log: 0, ratio: 0.7, products: 80 },
  free: { log: 0, ratio: 0.9, products: 5 },
  random: { log: 0, ratio: 0, products: 0 },
  oracle: { log: -0.2, ratio: 0.99, products: 3000 },
};

/** Small, different in every run, with mean 0 over the eight seeds of an arm. */
const jitter = (seed: number, arm: ArmName): number =>
  0.01 * Math.cos((2 * Math.PI * (seed - 201) * (1 + armNames.indexOf(arm))) / 8 + 1);

/**
 * A study in which λ₁ = scale/loss exactly, so that interpolation in logarithms is exact too. Arms differ in how far they come, which
 * alone would make a difference of λ₁ at the end, and in nothing else but `made`.
 */
function study(made: Readonly<Record<ArmName, MadeUp>> = madeUp): StudyRecord[] {
  return planned.map(({ name, network, arm: label, config }) => {
    const arm = label as ArmName;
    const { log, ratio, products } = made[arm];
    const slow = 1 + 0.1 * armNames.indexOf(arm);
    const seed = config.seed;
    const wobble = jitter(seed, arm);
    return {
      version: 1,
      ...{ name, network, arm, seed, status: "done", config: { ...config }, parameters: 10, digests: {} },
      versions: { eigensam: "0", node: "0", onnxruntime: "0" },
      steps: 1500,
      stepsAlongV: 0,
      estimates: { made: 15, good: 15, products },
      probes: looks.map((step, i) => {
        const loss = slow * [1.6, 0.9, 0.7, 0.6, 0.5, 0.4][i]!;
        const eigenvalue = (seed * Math.exp(log + wobble)) / loss;
        const end = step === 1500;
        const quality = arm === "sam" ? {} : { ratio: end || step < 500 ? -5 : ratio + wobble, subspace: 1 };
        return {
          ...{ step, epoch: 1, loss, eigenvalue, residual: 0, eigenvalues: [eigenvalue], residuals: [0] },
          ...{ products: 1, batches: 4, images: 480, ...quality },
        };
      }),
      epochs: [500, 1000, 1500].map((step, i) => ({
        ...{ epoch: i + 1, step, train: { loss: 1, accuracy: 0.5 }, val: null },
      })),
      test: { loss: 0.5, accuracy: 0.8 },
      seconds: { step: 0.1, steps: 150, estimates: 15, probe: 5 },
    };
  });
}

const testOf = (tests: ReturnType<typeof testsOf>, minuend: ArmName, subtrahend: ArmName, network = "cnn6") =>
  tests.find((t) => t.minuend === minuend && t.subtrahend === subtrahend && t.network === network)!;

describe("λ₁ at matched loss", () => {
  const look = (loss: number, eigenvalue: number) => ({ loss, eigenvalue });

  it("is a straight line of log λ₁ against log loss between two looks, at the larger of the smallest losses", () => {
    // λ₁ = 8/loss³ passes through the first run's looks; the second ends at loss 1.
    const power = (loss: number) => look(loss, 8 / loss ** 3);
    const matched = matchedSharpness([power(4), power(2), power(0.5)], [look(3, 7), look(1, 5)])!;
    expect(matched.loss).toBe(1);
    expect(matched.logs[0]).toBeCloseTo(Math.log(8), 12);
    expect(matched.logs[1]).toBeCloseTo(Math.log(5), 12);
  });

  it("is where a run first comes down to that loss, not where it passes it again", () => {
    const bumpy = [look(4, 1), look(1, 16), look(3, 100), look(0.5, 100)];
    // Half-way from 4 to 1 in logarithms: √16.
    expect(matchedSharpness(bumpy, [look(5, 1), look(2, 3)])!.logs[0]).toBeCloseTo(Math.log(4), 12);
  });

  it("changes its sign with the order of the runs", () => {
    const [a, b] = [
      [look(2, 3), look(1, 9)],
      [look(2, 4), look(0.7, 5)],
    ] as const;
    expect(matchedSharpness(b, a)!.logs).toEqual(matchedSharpness(a, b)!.logs.toReversed());
  });

  it.each([
    ["begins below it", [look(0.4, 1), look(0.3, 1)]],
    ["has a λ₁ that is not positive", [look(3, -1), look(0.5, 1)]],
    ["has no finite loss", [look(Number.NaN, 1)]],
    ["has no look", []],
  ])("is undefined where a run %s", (_, looksOfOne) => {
    const other = [look(2, 1), look(1, 1)];
    expect(matchedSharpness(looksOfOne, other)).toBeUndefined();
    expect(matchedSharpness(other, looksOfOne)).toBeUndefined();
  });
});

describe("the plan of the registered study", () => {
  it("has every arm on both networks with eight seeds, at least 1,500 steps on all of Fashion-MNIST", () => {
    expect(planned).toHaveLength(armNames.length * 2 * 8);
    expect(new Set(planned.map(({ name }) => name)).size).toBe(planned.length);
    for (const network of ["cnn6", "resnet18"])
      for (const arm of armNames)
        expect(planned.filter((r) => r.network === network && r.arm === arm).map((r) => r.config.seed)).toEqual(seeds);
    for (const { config } of planned) {
      expect(config.data).toMatchObject({ name: "fashion-mnist", batch: 120, validation: 0, examples: 0 });
      expect((60000 / config.data.batch) * config.train.epochs).toBe(1500);
      expect(config.probe.at).toEqual(looks);
    }
  });

  it("differs between arms by the method alone", () => {
    for (const network of ["cnn6", "resnet18"]) {
      const rest = planned
        .filter((run) => run.network === network && run.config.seed === 205)
        .map(({ config: { method, ...others } }) => JSON.stringify([others, method.rho, method.rhoWarmup]));
      expect(new Set(rest).size).toBe(1);
    }
    const method = (arm: ArmName) => planned.find((run) => run.arm === arm)!.config.method;
    expect(method("sam").name).toBe("sam");
    expect(method("power")).toMatchObject({ solver: "power", every: 100, iterations: 5, alpha: 0.2 });
    expect(method("oracle")).toMatchObject({ solver: "oracle", every: 10, batches: 4 });
  });

  it("makes all runs of a seed before those of the next", () => {
    const order = planned.map(({ config }) => config.seed);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it("looks, on average, when estimates have their mean age", () => {
    const age = (every: number) =>
      looks.filter((step) => step > 500 && step < 1500).reduce((sum, step) => sum + (step % every) / 4, 0);
    expect([100, 20, 10].map(age)).toEqual([50, 10, 5]);
  });

  it("tries the smoke test with other seeds", () => {
    for (const { config } of eigenSamRuns("smoke")) expect(seeds).not.toContain(config.seed);
  });
});

describe("the analysis of records", () => {
  it("finds at matched loss what was put in, and nothing in arms that only learnt less", () => {
    const tests = testsOf(study(), planned);
    expect(tests).toHaveLength(16);
    const found = testOf(tests, "oracle", "sam");
    expect(found.difference!.mean).toBeCloseTo(-0.2, 10);
    expect(found.difference!.n).toBe(8);
    expect(found.corrected).toBeLessThan(1e-4);
    const placebo = testOf(tests, "power", "sam").difference!;
    expect(placebo.mean).toBeCloseTo(0, 10);
    // The seeds' own scale, 201 to 208, cancels in pairs; the jitter remains.
    expect(placebo.std).toBeLessThan(0.02);
    expect(testOf(tests, "free", "power").difference!.mean).toBeCloseTo(0.4, 10);
  });

  it("corrects each family by Holm, on its own, over its registered number of tests", () => {
    const records = study().filter(({ network }) => network === "cnn6");
    const [first] = testsOf(records, planned).filter(({ family, network }) => family === "A" && network === "cnn6");
    const own = testsOf(records, planned).filter(({ family, difference }) => family === "A" && difference);
    const least = Math.min(...own.map(({ difference }) => difference!.p));
    // Four tests, two of them without records.
    expect(Math.min(...own.map(({ corrected }) => corrected))).toBeCloseTo(4 * least, 15);
    expect(first!.difference!.n).toBe(8);
  });

  it("judges v̂ after the first epoch and before the end", () => {
    const [sam, power] = ["sam", "power"].map((arm) => study().find((run) => run.arm === arm)!);
    expect(qualityOf(sam!)).toBeUndefined();
    expect(qualityOf(power!)).toBeCloseTo(0.5 + jitter(201, "power"), 12);
    expect(costOf(power!)).toBeCloseTo((15 + 150) / 3000, 15);
  });

  it("leaves pairs of a run on its plateau out of matched losses, and shows what they would change", () => {
    const records = study().map((run) =>
      run.name === "cnn6-oracle-seed203"
        ? {
            ...run,
            probes: run.probes.map((l) =>
              l.step === 545 ? { ...l, loss: 2.26 } : l.step < 545 ? { ...l, loss: 2.3 } : l,
            ),
          }
        : run,
    );
    expect(records.filter((run) => !leftPlateau(run)).map(({ name }) => name)).toEqual(["cnn6-oracle-seed203"]);
    const test = testOf(testsOf(records, planned), "oracle", "sam");
    expect(test).toMatchObject({ difference: { n: 7 }, sensitivity: { n: 8 }, excluded: { plateau: 1 } });
  });

  it("counts pairs with a run that is missing or diverged", () => {
    const records = study()
      .filter(({ name }) => name !== "cnn6-free-seed201")
      .map((run): StudyRecord => (run.name === "cnn6-power-seed202" ? { ...run, status: "diverged" } : run));
    const tests = testsOf(records, planned);
    expect(testOf(tests, "free", "power")).toMatchObject({
      difference: { n: 6 },
      excluded: { missing: 1, diverged: 1 },
    });
    expect(testOf(tests, "free", "sam")).toMatchObject({ difference: { n: 7 }, excluded: { missing: 1, diverged: 0 } });
  });
});

describe("the decision", () => {
  const decisionOf = (changes: Partial<Record<ArmName, Partial<MadeUp>>>) => {
    const made = Object.fromEntries(armNames.map((arm) => [arm, { ...madeUp[arm], ...changes[arm] }]));
    const records = study(made as Record<ArmName, MadeUp>);
    return decide(testsOf(records, planned), rowsOf(records, planned));
  };

  it.each([
    ["the cheapest good solver", {}, "free", 2],
    ["the cheapest of two good ones", { power: { ratio: 0.85 } }, "free", 2],
    ["no solver that is sharper than SAM", { free: { log: 0.1 } }, "spread", 3],
    ["one that is better than power, though not good", { free: { ratio: 0.6 } }, "spread", 3],
    ["no solver that costs too much", { free: { ratio: 0.4 }, spread: { products: 200 } }, "power", 4],
    ["power where none is better", { free: { ratio: 0.3 }, spread: { ratio: 0.3 } }, "power", 4],
  ] as const)("takes %s", (_, changes, solver, rule) => {
    expect(decisionOf(changes)).toEqual({ flatter: ["cnn6", "resnet18"], solver, rule });
  });

  it("says yes to question 1 only where the oracle is below SAM and below the placebo", () => {
    expect(decisionOf({ oracle: { log: 0 } }).flatter).toEqual([]);
    expect(decisionOf({ random: { log: -0.2 } }).flatter).toEqual([]);
    expect(decisionOf({ oracle: { log: 0.2 } }).flatter).toEqual([]);
  });
});

describe("the report", () => {
  it("says what is decided once all records are in", async () => {
    const out = newFolder();
    const { findings, figures, tables, decision } = await writeEigenSam(study(), planned, out);
    expect(decision).toMatchObject({ solver: "free" });
    expect(findings[0]).toBe("complete: 96 of 96 runs, 8 of 8 seeds");
    for (const path of [...figures, ...tables]) expect(existsSync(path), path).toBe(true);
    expect(readFileSync(tables[0]!, "utf8")).toMatch(
      /\| A \| cnn6 \| oracle − sam \| log λ₁ at matched loss \| \*\*-0\.200 ± 0\.\d+\*\* \| 8 \|/,
    );
  });

  it("decides nothing before, and says how many seeds are in", async () => {
    const some = study().slice(0, 30);
    const { findings, decision } = await writeEigenSam(some, planned, newFolder());
    expect(decision).toBeUndefined();
    expect(findings).toEqual(["incomplete: 30 of 96 runs, 2 of 8 seeds; nothing is decided until all are in"]);
  });
});

describe("records", () => {
  const [run] = planned;
  const [record] = study();

  it("keep a number that is none, and optional fields", () => {
    const folder = newFolder();
    const odd = { ...record!, probes: [{ ...record!.probes[0]!, loss: Number.NaN }] };
    writeStudyRecord(folder, odd);
    expect(readStudyRecord(folder, run!)).toEqual(odd);
    expect(readFileSync(join(folder, "cnn6-sam-seed201.json"), "utf8").trim()).not.toContain("\n");
  });

  it("of other settings are refused, while settings that later versions add are not missed", () => {
    const folder = newFolder();
    const { device: _, ...older } = record!.config as Record<string, unknown>;
    writeStudyRecord(folder, { ...record!, config: older });
    expect(readStudyRecord(folder, run!)).toMatchObject({ seed: 201 });
    writeStudyRecord(folder, { ...record!, config: { ...record!.config, seed: 999 } });
    expect(() => readStudyRecord(folder, run!)).toThrow("seed is 999, expected 201");
    writeFileSync(join(folder, "cnn6-sam-seed201.json"), "{");
    expect(() => readStudyRecord(folder, run!)).toThrow("expected JSON");
  });

  it("alone let a study go on where nothing else is left of its runs", async () => {
    const [out, records] = [newFolder(), newFolder()];
    for (const each of study()) writeStudyRecord(records, each);
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const options = { scale: "laptop", out, records, jobs: 1 } as const;
    await paper.run(options, ["eigen-sam"]);
    // No run was made: its folder would be there.
    expect(existsSync(join(out, "runs"))).toBe(false);
    expect(log.mock.calls.flat().join("\n")).toContain("complete: 96 of 96 runs");
    log.mockRestore();
  });
});
