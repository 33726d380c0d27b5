import { mkdirSync, mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Dataset, Split } from "../src/data/dataset.ts";
import { runTraining } from "../src/train/run-training.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import type { TrainConfig } from "../src/train/config.ts";
import { type SolverName, solverNames } from "../src/optim/eigenvector.ts";
import { InputError, TrainingError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { decodeSafetensors } from "../src/util/safetensors.ts";
import { checkConfig, registry, trainRun } from "./support/batch-norm-net.ts";
import { jsonLines } from "./support/cli.ts";

/** Two classes of 8×8 images that differ in brightness of one half, so that a network can learn them. */
function tinySplit(label: string, count: number): Split {
  const random = rng(5, "tiny", label);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const images = Uint8Array.from({ length: count * 64 }, (_, at) => {
    const bright = (at % 8 < 4 ? 0 : 1) === labels[Math.floor(at / 64)] ? 120 : 30;
    return bright + Math.floor(100 * random.uniform());
  });
  return { x: images, y: labels, count };
}

const tiny: Dataset = {
  name: "fashion-mini",
  targets: { kind: "labels", classes: 2 },
  inputShape: [1, 8, 8],
  mean: [0.4],
  std: [0.2],
  train: tinySplit("train", 80),
  test: tinySplit("test", 21),
};

const settings = (overrides: Record<string, object> = {}): TrainConfig =>
  checkConfig({
    threads: 1,
    // One whose first estimates lie along positive curvature.
    seed: 2,
    model: { name: "batch-norm-net", ...overrides.model },
    data: { batch: 16, crop: 1, flip: false, validation: 0.2, ...overrides.data },
    method: { solver: "power", every: 3, iterations: 2, trust: 100, ...overrides.method },
    optimizer: { lr: 0.05, ...overrides.optimizer },
    train: { epochs: 3, ...overrides.train },
  });

const newRun = () => join(mkdtempSync(join(tmpdir(), "eigensam-train-")), "run");

interface Options {
  readonly run?: string;
  readonly stopAfter?: number;
  readonly dataset?: Dataset;
  readonly resume?: boolean;
}

async function trained(
  config: TrainConfig,
  { run = newRun(), stopAfter, dataset = tiny, resume = false }: Options = {},
) {
  if (!resume) trainRun.create(run, config);
  const events: TrainEvent[] = [];
  const controller = new AbortController();
  const listen = (event: TrainEvent) => {
    events.push(event);
    if (event.event === "step" && event.step + 1 === stopAfter) controller.abort();
  };
  const outcome = await runTraining({ config, dataset, run, resume, listen, stop: controller.signal, registry });
  return { run, outcome, events };
}

let undisturbed: ReturnType<typeof trained> | undefined;
/** The run with the settings above, to its end: one for all tests that compare with it. */
const whole = () => (undisturbed ??= trained(settings()));

const metricsOf = (run: string) => jsonLines(readFileSync(runFiles(run).metrics, "utf8"));

describe("training", () => {
  it("learns, and records steps, estimates, epochs and the end", async () => {
    const { run, outcome, events } = await trained(settings({ train: { epochs: 8, testEvery: 4 } }));
    expect(outcome).toMatchObject({ status: "done", result: { epochs: 8 } });
    if (outcome.status !== "done") return;
    expect(outcome.result.test?.accuracy).toBeGreaterThan(0.9);

    const lines = metricsOf(run);
    const kinds = (kind: string) => lines.filter((line) => line.kind === kind);
    expect(kinds("step").map(({ step }) => step)).toEqual(Array.from({ length: 32 }, (_, i) => i));
    const refreshed = kinds("refresh").map(({ step }) => step);
    expect(refreshed).toEqual(expect.arrayContaining(Array.from({ length: 11 }, (_, i) => 3 * i)));
    expect(kinds("epoch").map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(kinds("epoch").map((line) => "test" in line)).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(kinds("done")).toEqual([{ kind: "done", test: outcome.result.test }]);
    const along = kinds("step").filter(({ cosEpsV }) => cosEpsV !== undefined);
    expect(along.length).toBeGreaterThan(20);
    for (const { cosEpsV, cosGradV } of along) expect(cosEpsV).toBeGreaterThanOrEqual(cosGradV as number);
    expect(events.at(-1)).toMatchObject({ event: "done", run });
    expect(trainRun.readRecord(run)).toMatchObject({ status: "done", data: { train: 64, val: 16, test: 21 } });
    expect(readdirSync(run).sort()).toEqual(
      [
        "best.safetensors",
        "checkpoints",
        "config.toml",
        "metrics.jsonl",
        "run.json",
        "timings.jsonl",
        "weights.safetensors",
      ].sort(),
    );
  });
});

describe("the solvers of the top eigenvector", () => {
  // k = 6, p = 3: twelve steps in all.
  const regular: Readonly<Record<SolverName, readonly number[]>> = {
    power: [0, 6],
    lanczos: [0, 6],
    spread: [0, 2, 4, 6, 8, 10],
    free: [0],
    oracle: [0, 6],
    random: [],
  };

  it.each(solverNames)(
    "%s: estimates are made when they are due, again where they are no good, and a stopped run goes on to the same bytes",
    async (solver) => {
      const config = settings({ method: { solver, every: 6, iterations: 3, batches: 2 } });
      const whole = await trained(config);
      const lines = metricsOf(whole.run);
      const refreshes = lines.filter(({ kind }) => kind === "refresh");
      let [failures, at] = [0, 0];
      const expected: number[] = [];
      for (let step = 0; step < 12; step++) {
        const again = failures > 0 && step >= at + Math.min(6, 2 ** (failures - 1));
        if (!regular[solver].includes(step) && !again) continue;
        expected.push(step);
        at = step;
        failures = refreshes.find((line) => line.step === step)?.good === true ? 0 : failures + 1;
      }
      expect(refreshes.map(({ step }) => step)).toEqual(expected);
      for (const { eigenvalue, rayleigh } of refreshes.filter(({ step }) => step === 0)) {
        // A Ritz value is at least the Rayleigh quotient of what its space began with; the oracle's began with a part at random.
        if (solver === "lanczos" || solver === "free" || solver === "spread")
          expect(eigenvalue).toBeGreaterThanOrEqual(rayleigh as number);
        expect(Number.isFinite(rayleigh)).toBe(true);
      }
      // Steps say |cos(ε, v̂)| where they perturbed along v̂, and only there.
      let good = solver === "random";
      for (const line of lines) {
        if (line.kind === "refresh") good = line.good === true;
        if (line.kind === "step") expect("cosEpsV" in line).toBe(good);
      }
      const stopped = await trained(config, { stopAfter: 7 });
      const resumed = await trained(config, { run: stopped.run, resume: true });
      expect(resumed.outcome.status).toBe("done");
      for (const file of ["metrics", "weights"] as const)
        expect(readFileSync(runFiles(stopped.run)[file]).equals(readFileSync(runFiles(whole.run)[file])), file).toBe(
          true,
        );
    },
  );

  it("free: v moves with every step and keeps its length", async () => {
    const config = settings({ method: { solver: "free", trust: 10 }, train: { epochs: 1 } });
    const directions = await Promise.all(
      [1, 2].map(async (stopAfter) => {
        const { run } = await trained(config, { stopAfter });
        const { tensors } = decodeSafetensors(readFileSync(checkpointsOf(run).at(-1)!), "checkpoint");
        const v = Object.keys(tensors).filter((name) => name.startsWith("eigenvector."));
        return v.flatMap((name) => Array.from(tensors[name]!.data as Float32Array));
      }),
    );
    const norm = (x: readonly number[]) => Math.sqrt(x.reduce((total, value) => total + value * value, 0));
    for (const v of directions) expect(Math.abs(norm(v) - 1)).toBeLessThan(1e-5);
    const moved = norm(directions[0]!.map((value, i) => value - directions[1]![i]!));
    expect(moved).toBeGreaterThan(1e-3);
    expect(moved).toBeLessThan(0.3);
  });
});

describe("a run that was stopped", () => {
  it.each([1, 4, 5, 11])("after step %d goes on to the same bytes", async (stopAfter) => {
    const config = settings();
    const stopped = await trained(config, { stopAfter });
    expect(stopped.outcome).toMatchObject({ status: "stopped", step: stopAfter });
    expect(trainRun.readRecord(stopped.run)?.status).toBe("stopped");
    const resumed = await trained(config, { run: stopped.run, resume: true });
    expect(resumed.outcome.status).toBe("done");
    for (const file of ["metrics", "weights", "best"] as const)
      expect(
        readFileSync(runFiles(stopped.run)[file]).equals(readFileSync(runFiles((await whole()).run)[file])),
        file,
      ).toBe(true);
  });

  it("goes on where lines were written after its checkpoint", async () => {
    const config = settings();
    const stopped = await trained(config, { stopAfter: 6 });
    const { metrics, weights } = runFiles(stopped.run);
    writeFileSync(metrics, `${readFileSync(metrics, "utf8")}{"kind":"step","step":6,"lo`);
    await trained(config, { run: stopped.run, resume: true });
    expect(readFileSync(metrics, "utf8")).toBe(readFileSync(runFiles((await whole()).run).metrics, "utf8"));
    expect(readFileSync(weights).equals(readFileSync(runFiles((await whole()).run).weights))).toBe(true);
  });

  it("with a truncated checkpoint says so and names the last good one", async () => {
    const config = settings();
    const { run } = await trained(config, { stopAfter: 6 });
    const [good, broken] = checkpointsOf(run);
    truncateSync(broken!, 1000);
    const failure = trained(config, { run, resume: true });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(
      `the last good checkpoint is ${good}; remove the damaged file to resume from there`,
    );
    expect(readdirSync(join(run, "checkpoints"))).toHaveLength(2);
  });

  it("without a checkpoint begins at the beginning", async () => {
    const config = settings({ train: { epochs: 1 } });
    const run = newRun();
    trainRun.create(run, config);
    const { outcome } = await trained(config, { run, resume: true });
    expect(outcome.status).toBe("done");
  });
});

describe("training that cannot go on", () => {
  it("stops at a loss that is not a number, naming step and checkpoint", async () => {
    const run = newRun();
    const failure = trained(settings({ optimizer: { lr: 1e25 } }), { run });
    await expect(failure).rejects.toThrow(TrainingError);
    await expect(failure).rejects.toThrow(
      /^the (loss|top eigenvalue) is .* at step \d+ \(epoch 1\)\n {2}hint: the last good checkpoint is .*step-00000000/,
    );
    expect(trainRun.readRecord(run)).toMatchObject({ status: "failed", error: expect.stringMatching(/at step/) });
  });

  it("says so where the directory cannot be written", async () => {
    const run = newRun();
    const config = settings();
    trainRun.create(run, config);
    mkdirSync(runFiles(run).metrics);
    await expect(trained(config, { run, resume: true })).rejects.toThrow(/metrics.jsonl/);
  });
});
