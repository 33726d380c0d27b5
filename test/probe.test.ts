import { readFileSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Dataset } from "../src/data/dataset.ts";
import { loadDataset } from "../src/data/index.ts";
import { readRun } from "../src/report/read-run.ts";
import { runFiles } from "../src/run/files.ts";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import type { Vector } from "../src/spectrum/vectors.ts";
import type { TrainConfig } from "../src/train/config.ts";
import { empiricalLoss } from "../src/train/empirical-loss.ts";
import { fixedBatches } from "../src/train/fixed-batches.ts";
import type { ComingStep } from "../src/train/probe.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { openSession, problemOf } from "../src/train/session.ts";
import { checkConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { along, dotOf, normOf } from "./support/numbers.ts";

const BATCH = 32;
/** Rounding of products in single precision. */
const F32 = 1e-5;
const [RHO, ALPHA] = [0.5, 0.2];
const methods = {
  sgd: { name: "sgd" },
  sam: { name: "sam", rho: RHO },
  "eigen-sam": { name: "eigen-sam", rho: RHO, alpha: ALPHA, solver: "random" },
} as const;
type Name = keyof typeof methods;

const configOf = (name: Name, probe: object = { every: 5 }, seed = 1): TrainConfig =>
  checkConfig({
    seed,
    threads: 1,
    model: { name: "mlp", width: 4, activation: "tanh" },
    data: { batch: BATCH, crop: 0, flip: false, validation: 0.2 },
    method: methods[name],
    optimizer: { lr: 0.05 },
    train: { epochs: 1 },
    probe: { tolerance: 1e-3, batches: 3, top: 2, ...probe },
  });

let dataset: Dataset;
beforeAll(async () => {
  const whole = await loadDataset("fashion-mini");
  const count = 400;
  dataset = {
    ...whole,
    train: {
      x: (whole.train as never as { x: Uint8Array }).x.subarray(0, 784 * count),
      y: whole.train.y.subarray(0, count),
      count,
    },
    test: { x: whole.test!.x.subarray(0, 784 * 20), y: whole.test!.y.subarray(0, 20), count: 20 },
  } as Dataset;
});

/** The mean loss over the probe's own mini-batches in double precision. */
function oracleOf(config: TrainConfig) {
  const { task, train, batch } = problemOf(config, dataset);
  const split = train as Extract<typeof train, { readonly count: number }>;
  const batches = fixedBatches(split, batch, config.probe.batches, rng(config.seed, "probe"));
  const common = { task, buffers: new Float64Array(1), bn: "batch", dtype: "f64", device: "cpu", threads: 1 } as const;
  return { ...common, batches, loss: empiricalLoss({ ...common, batches }) };
}

async function topOf(H: ReturnType<ReturnType<typeof oracleOf>["loss"]["hessian"]>, top: number) {
  const random = rng(1, "oracle");
  return (await extremeEigenpairs(H, { top, bottom: 0, tolerance: 1e-9, maxProducts: 200, random })).top;
}

const trained = async (config: TrainConfig, stopAfter = Number.POSITIVE_INFINITY) => {
  const run = join(mkdtempSync(join(tmpdir(), "eigensam-probe-")), "run");
  trainRun.create(run, config);
  const controller = new AbortController();
  const go = (resume: boolean, limit: number) =>
    runTraining({
      ...{ config, dataset, run, resume, stop: controller.signal },
      listen: (event) => {
        if (event.event === "step" && event.step + 1 === limit) controller.abort();
      },
    });
  const outcome = await go(false, stopAfter);
  return { run, outcome };
};

describe("the probe", () => {
  it("finds the same λ₁ at the same weights through a run of every method, and that of its mini-batches in f64", async () => {
    const theta = Float32Array.from({ length: 1 }, () => 0);
    const found: { readonly eigenvalue: number; readonly residual: number }[] = [];
    let weights: Float32Array = theta;
    for (const name of Object.keys(methods) as Name[]) {
      const session = await openSession(problemOf(configOf(name), dataset));
      if (found.length === 0) {
        // Weights that were trained a little, the same for all.
        for (let t = 0; t < 10; t++) {
          const examples = (await session.batches.next())!;
          await session.stepper.step(session.state, examples, { lr: 0.1 });
        }
        weights = session.state.theta.slice();
      }
      session.state.theta.set(weights);
      // Each was somewhere else before.
      session.state.probe.start = Float32Array.from(weights, (_, i) => Math.sin(i + found.length));
      found.push(await session.probe!.look(session.state));
      await session.release();
    }
    const { loss } = oracleOf(configOf("sgd"));
    const at = Float64Array.from(weights);
    const [first] = await topOf(loss.hessian(at), 1);
    for (const { eigenvalue, residual } of found) {
      expect(residual).toBeLessThan(2e-3);
      expect(Math.abs(eigenvalue / first!.eigenvalue - 1)).toBeLessThan(residual + F32);
    }
    await loss.release();
  });

  it.each(Object.keys(methods) as Name[])(
    "sees the very step of %s: cosines, v's worth and loss, against f64",
    async (name) => {
      const config = configOf(name);
      const { state, probe, stepper, batches, release, task } = await openSession(problemOf(config, dataset));
      const batch = (await batches.next())!;
      const coming: ComingStep = { stepper, batch, numbers: { lr: 0.05 } };
      const before = state.theta.slice();
      const look = await probe!.look(state, { coming });
      expect([...state.theta]).toEqual([...before]);
      const { loss, batches: _, ...common } = oracleOf(config);
      const theta = Float64Array.from(before);
      const H = loss.hessian(theta);
      const [first, second] = await topOf(H, 2);
      const one = empiricalLoss({ ...common, task, batches: [{ ...batch, rows: BATCH }] });
      const g: Vector = (await one.lossAndGradient(theta)).gradient;
      const ghat = g.map((x) => x / normOf(g));
      const cos = (x: ArrayLike<number>) => Math.abs(dotOf(x, first!.vector)) / normOf(x);
      const v = Float64Array.from(state.v);
      const c = dotOf(ghat, v);
      const epsilon = {
        sgd: undefined,
        sam: ghat,
        "eigen-sam": along(ghat, along(v, ghat, -c), ALPHA * Math.sign(c)),
      }[name];
      expect(look.eigenvalues).toHaveLength(2);
      expect(Math.abs(look.eigenvalues[1]! / second!.eigenvalue - 1)).toBeLessThan(1e-3);
      expect(look.loss).toBeCloseTo(await loss.loss(theta), 5);
      expect(look.images).toBe(3 * BATCH);
      expect(look.cosGrad).toBeCloseTo(cos(g), 2);
      if (epsilon) expect(look.cosEps).toBeCloseTo(cos(epsilon), 2);
      else expect(look).not.toHaveProperty("cosEps");
      if (name === "eigen-sam") {
        expect(look.ratio).toBeCloseTo(dotOf(v, await H.apply(v)) / first!.eigenvalue, 3);
        expect(look.subspace).toBeCloseTo(dotOf(v, first!.vector) ** 2 + dotOf(v, second!.vector) ** 2, 3);
        expect(look.inUse).toBe(true);
      } else expect(look).not.toHaveProperty("ratio");
      // The measured residual is that of the vector, whatever the iteration believes.
      for (const residual of look.residuals) expect(residual).toBeLessThan(2e-3);
      await loss.release();
      await one.release();
      await release();
    },
  );

  it.each(Object.keys(methods) as Name[])(
    "changes no byte of a training by %s, and looks when it is asked to",
    async (name) => {
      const [plain, probed] = [await trained(configOf(name, {})), await trained(configOf(name, { every: 4, at: [1] }))];
      for (const file of ["weights", "best"] as const)
        expect(readFileSync(runFiles(plain.run)[file]).equals(readFileSync(runFiles(probed.run)[file])), file).toBe(
          true,
        );
      const { probes, steps, epochs } = readRun(probed.run);
      expect(steps).toEqual(readRun(plain.run).steps);
      expect(readRun(plain.run).probes).toEqual([]);
      const total = epochs.at(-1)!.step;
      expect(total).toBe(10);
      expect(probes.map(({ step }) => step)).toEqual([0, 1, 4, 8, 10]);
      // At the end no step is taken.
      expect(probes.at(-1)).not.toHaveProperty("cosGrad");
      expect(probes.at(-2)).toHaveProperty("cosGrad");
    },
  );

  it("goes on, where a run was stopped, to the same lines", async () => {
    const config = configOf("eigen-sam", { every: 3 });
    const [whole, stopped] = [await trained(config), await trained(config, 4)];
    expect(stopped.outcome.status).toBe("stopped");
    const stop = new AbortController().signal;
    await runTraining({ config, dataset, run: stopped.run, resume: true, stop, listen: () => undefined });
    expect(readFileSync(runFiles(stopped.run).metrics, "utf8")).toBe(readFileSync(runFiles(whole.run).metrics, "utf8"));
  });

  const power = { name: "eigen-sam", rho: RHO, alpha: ALPHA, solver: "power", every: 4 };
  it.each([
    { where: "at the first step, which makes an estimate as well", method: power, at: 0 },
    { where: "later, where the step makes none", method: methods.sam, at: 5 },
    { where: "at the end", method: power, at: 10 },
    // Left there, the estimate would be made twice.
    { where: "but for one after an estimate that no checkpoint has", method: power, at: 4, ends: 5, wish: "estimate" },
    { where: "or before it, after the first estimate", method: power, at: 0, wish: "estimate" },
  ])("stops in the middle of a look $where, and goes on to the same bytes", async ({ method, at, ends = at, wish }) => {
    const config = checkConfig({ ...configOf("sgd", { at: [at] }), method });
    const whole = await trained(config);
    const run = join(mkdtempSync(join(tmpdir(), "eigensam-probe-")), "run");
    trainRun.create(run, config);
    const controller = new AbortController();
    // Asked once per product.
    const asked = vi.spyOn(controller.signal, "throwIfAborted").mockImplementation(() => {
      if (asked.mock.calls.length === 3) controller.abort();
      if (controller.signal.aborted) throw controller.signal.reason;
    });
    const estimated = (event: { readonly event: string; readonly step?: number }) => {
      if (wish === "estimate" && event.event === "refresh" && event.step === at) controller.abort();
    };
    const stopped = await runTraining({
      config,
      dataset,
      run,
      resume: false,
      stop: controller.signal,
      listen: estimated,
    });
    expect(stopped).toMatchObject({ status: "stopped", step: ends });
    expect(asked.mock.calls.length).toBe(wish === "estimate" ? 0 : 3);
    await runTraining({
      config,
      dataset,
      run,
      resume: true,
      stop: new AbortController().signal,
      listen: () => undefined,
    });
    for (const file of ["metrics", "weights"] as const)
      expect(readFileSync(runFiles(run)[file]).equals(readFileSync(runFiles(whole.run)[file])), file).toBe(true);
  });

  it("draws other mini-batches for another seed, the same for every method, and none twice an example", () => {
    const of = (name: Name, seed: number) =>
      oracleOf(configOf(name, {}, seed)).batches.map(({ x }) => [...x.slice(0, 500)]);
    expect(of("sgd", 1)).toEqual(of("eigen-sam", 1));
    expect(of("sgd", 1)).not.toEqual(of("sgd", 2));
    const split = {
      x: Uint8Array.from({ length: 10 }, (_, i) => i),
      y: Int32Array.from({ length: 10 }, (_, i) => i),
      count: 10,
    };
    const drawn = fixedBatches(split, 3, 99, rng(1, "x"));
    expect(drawn).toHaveLength(3);
    const all = drawn.flatMap(({ x, y }) => {
      expect([...x]).toEqual([...y]);
      return [...x];
    });
    expect(new Set(all).size).toBe(9);
    expect(all).not.toEqual(all.toSorted((a, b) => a - b));
  });

  it("is refused where it cannot measure", () => {
    expect(() => problemOf(configOf("sgd", { every: 1, products: 1 }), dataset)).toThrow("probe.products is 1");
  });
});
