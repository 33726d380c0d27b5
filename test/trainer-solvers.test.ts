import { beforeAll, describe, expect, it } from "vitest";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import { inner, length, type Vector } from "../src/spectrum/vectors.ts";
import type { Batch } from "../src/data/dataset.ts";
import { loadDataset } from "../src/data/index.ts";
import { empiricalLoss } from "../src/train/empirical-loss.ts";
import type { EmpiricalLoss } from "../src/train/streamed.ts";
import type { SolverName } from "../src/optim/eigenvector.ts";
import { openSession, problemOf, type Session } from "../src/train/session.ts";
import { checkConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { along, dotOf, normOf } from "./support/numbers.ts";
import { TRAINER_F32 } from "./tolerances.ts";

const BATCH = 48;
const [RHO, ALPHA] = [0.5, 0.2];
const unit = (x: ArrayLike<number>) => Float64Array.from(x, (value) => value / normOf(x));

const configOf = (solver: SolverName, iterations: number) =>
  checkConfig({
    threads: 1,
    model: { name: "mlp", width: 6, activation: "tanh" },
    data: { batch: BATCH },
    method: { solver, iterations, every: 10, trust: 100, rho: RHO, alpha: ALPHA },
  });

/** What the trainer computes on one real batch, against the same from the empirical loss in double precision. */
let batch: Batch;
let loss: EmpiricalLoss;
let trainerOf: (solver: SolverName, iterations: number) => Promise<Session>;
beforeAll(async () => {
  const dataset = await loadDataset("fashion-mini");
  batch = { x: dataset.train.x.subarray(0, 784 * BATCH), y: dataset.train.y.subarray(0, BATCH) };
  const config = configOf("free", 1);
  loss = empiricalLoss({
    task: problemOf(config, dataset).task,
    buffers: new Float64Array(1),
    batches: [{ ...batch, rows: BATCH }],
    bn: "batch",
    dtype: "f64",
    device: "cpu",
    threads: 1,
  });
  trainerOf = (solver, iterations) => openSession(problemOf(configOf(solver, iterations), dataset));
});

const gradientAt = async (theta: ArrayLike<number>) => (await loss.lossAndGradient(Float64Array.from(theta))).gradient;
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => normOf(along(a, b, -1));

describe("in the trainer", () => {
  it("free: v after a step is the moving average with the change of the gradient along ε", async () => {
    const trainer = await trainerOf("free", 3);
    await trainer.stepper.refresh(trainer.state, batch);
    const [theta, v] = [trainer.state.theta.slice(), trainer.state.v.slice()];
    await trainer.stepper.step(trainer.state, batch, { lr: 0.1 });
    const g = await gradientAt(theta);
    const ghat = unit(g);
    const c = dotOf(ghat, v);
    const epsilon = along(ghat, along(v, ghat, -c), ALPHA * Math.sign(c));
    const delta = along(await gradientAt(along(theta, epsilon, RHO)), g, -1);
    const side = Math.sign(dotOf(epsilon, v));
    const expected = unit(
      along(
        v.map((x) => 0.9 * x),
        unit(delta),
        0.1 * side,
      ),
    );
    expect(distance(trainer.state.v, expected)).toBeLessThan(TRAINER_F32);
    expect(distance(v, expected)).toBeGreaterThan(100 * TRAINER_F32);
    await trainer.release();
  });

  it("spread: a later estimate is one power step", async () => {
    const trainer = await trainerOf("spread", 3);
    await trainer.stepper.refresh(trainer.state, batch);
    const v = trainer.state.v.slice();
    const { eigenvalue, rayleigh } = await trainer.stepper.refresh(trainer.state, batch);
    const Hv = await loss.hessian(Float64Array.from(trainer.state.theta)).apply(Float64Array.from(v));
    expect(distance(trainer.state.v, unit(Hv))).toBeLessThan(TRAINER_F32);
    expect(Math.abs(eigenvalue / dotOf(v, Hv) - 1)).toBeLessThan(TRAINER_F32);
    expect(rayleigh).toBe(eigenvalue);
    await trainer.release();
  });

  it("lanczos: enough products give the largest signed eigenvalue and its vector", async () => {
    const trainer = await trainerOf("lanczos", 24);
    const { eigenvalue, residual, cosGradV } = await trainer.stepper.refresh(trainer.state, batch);
    const theta = Float64Array.from(trainer.state.theta);
    const { top } = await extremeEigenpairs(loss.hessian(theta), {
      top: 1,
      bottom: 0,
      tolerance: 1e-8,
      maxProducts: 100,
      random: rng(1, "oracle"),
    });
    expect(Math.abs(eigenvalue / top[0]!.eigenvalue - 1)).toBeLessThan(TRAINER_F32);
    expect(residual).toBeLessThan(1e-2);
    const v = Float64Array.from(trainer.state.v);
    expect(1 - Math.abs(inner(v, top[0]!.vector))).toBeLessThan(TRAINER_F32);
    const g: Vector = await gradientAt(theta);
    expect(Math.abs(cosGradV - Math.abs(inner(g, v)) / length(g))).toBeLessThan(TRAINER_F32);
    await trainer.release();
  });
});
