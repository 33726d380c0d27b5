import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../src/data/dataset.ts";
import { defineModel } from "../src/models/entry.ts";
import { linear } from "../src/nn/layers.ts";
import { runFiles } from "../src/run/files.ts";
import { partsOfBatch } from "../src/train/micro.ts";
import { mixingShare } from "../src/train/mixup.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { openSession, problemOf, type Session } from "../src/train/session.ts";
import { trainSettings } from "../src/train/settings.ts";
import { taskOf } from "../src/train/task.ts";
import { rng } from "../src/util/rng.ts";
import { gradientByHand } from "./support/by-hand.ts";
import { batch, dataset, LR, RHO, ROWS, SEED, unit } from "./support/hand-session.ts";
import { along, dotOf, relativeError } from "./support/numbers.ts";
import { F32, SIGMAS } from "./tolerances.ts";

const ALPHA = 0.7;

describe("the share of mixup", () => {
  it.each([0.2, 0.7, 1, 4])("is the larger part of a number from Beta(%d, %d)", (alpha) => {
    const random = rng(3, "beta", alpha);
    const shares = Array.from({ length: 20_000 }, () => mixingShare(alpha, random));
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
    // Of b ~ Beta(α, α): E[(b(1 − b))ⁿ] = B(α + n, α + n)/B(α, α).
    const products = shares.map((share) => share * (1 - share));
    const first = alpha / (2 * (2 * alpha + 1));
    const second = (first * (alpha + 1)) / (2 * (2 * alpha + 3));
    const mean = products.reduce((a, b) => a + b) / products.length;
    const square = products.reduce((a, b) => a + b * b, 0) / products.length;
    expect(Math.abs(mean - first)).toBeLessThan(SIGMAS * Math.sqrt((second - first ** 2) / products.length));
    expect(Math.abs(square - second)).toBeLessThan(SIGMAS * Math.sqrt(second / 16 / products.length));
  });

  it("is 1 where both gamma numbers vanish", () => {
    expect(mixingShare(1e-5, rng(1, "tiny"))).toBe(1);
  });
});

const registry = extended(builtIn, [
  defineModel({
    name: "plain",
    summary: "one layer",
    smooth: true,
    build:
      ({ classes }) =>
      (scope, x) =>
        linear(scope, x, classes),
  }),
]);
const settings = (method: object, train: object = {}, data: object = {}) =>
  trainSettings(registry).check({
    seed: SEED,
    threads: 1,
    model: { name: "plain" },
    data: { batch: ROWS, validation: 0, mixup: ALPHA, ...data },
    method,
    optimizer: { lr: LR, momentum: 0, weightDecay: 0 },
    train,
  });

/** Mean cross-entropy in float64 of λx + (1 − λ)x' against λy + (1 − λ)y'; x' is the next example, and λ = 1 the loss itself. */
function lossByHand(theta: ArrayLike<number>, { x, y }: Batch, share = 1): number {
  const count = y.length;
  const row = (i: number) => Array.from(x.subarray(3 * (i % count), 3 * (i % count) + 3));
  const losses = Array.from(y, (label, i) => {
    const [own, other] = [row(i), row(i + 1)];
    const mixed = own.map((value, k) => share * value + (1 - share) * other[k]!);
    const logits = [0, 1, 2].map(
      (k) =>
        dotOf(
          Array.from({ length: 3 }, (_, j) => theta[3 * k + j]!),
          mixed,
        ) + theta[9 + k]!,
    );
    const normalizer = Math.log(logits.reduce((total, z) => total + Math.exp(z), 0));
    return normalizer - share * logits[label]! - (1 - share) * logits[y[(i + 1) % count]!]!;
  });
  return losses.reduce((a, b) => a + b) / count;
}

const sessions: Session[] = [];
const folder = mkdtempSync(join(tmpdir(), "eigensam-mixup-"));
afterAll(async () => {
  for (const session of sessions) await session.release();
  rmSync(folder, { recursive: true });
});

describe("training with mixup", () => {
  it.each([
    ["sgd", 1],
    ["sam", 1],
    ["sam", 3],
  ])("by %s in %i micro-batches mixes with one share per step and part, at θ and θ + ε", async (name, accumulate) => {
    const session = await openSession(
      problemOf(settings(name === "sgd" ? { name } : { name, rho: RHO }, { accumulate }), dataset, registry),
    );
    sessions.push(session);
    const { state, stepper, evaluator } = session;
    const parts = partsOfBatch(batch, accumulate);
    for (let step = 0; step < 2; step++) {
      const shares = parts.map((_, i) => mixingShare(ALPHA, rng(SEED, "mixup", step, i)));
      const f = (theta: ArrayLike<number>) =>
        parts.reduce((total, part, i) => total + lossByHand(theta, part, shares[i]!) / parts.length, 0);
      const theta = Float64Array.from(state.theta);
      const g = gradientByHand(f, theta);
      const direction = name === "sgd" ? g : gradientByHand(f, along(theta, unit(g), RHO));
      const { loss } = await stepper.step(state, batch, { lr: LR });
      expect(relativeError(state.theta, along(theta, direction, -LR))).toBeLessThan(F32);
      expect(loss).toBeCloseTo(f(theta), 5);
      expect(Math.abs(f(theta) - lossByHand(theta, batch))).toBeGreaterThan(1e-3);
    }
    const { loss } = await evaluator.score(state, dataset.test!);
    expect(loss).toBeCloseTo(lossByHand(state.theta, dataset.test!), 5);
  });

  it("goes on to the same bytes after a stop", async () => {
    const config = settings({ name: "sam", rho: RHO }, { epochs: 2 });
    const run = async (name: string, stopAfter?: number, resume = false) => {
      const dir = join(folder, name);
      if (!resume) trainRun.create(dir, config);
      const controller = new AbortController();
      const listen = (event: { readonly event: string; readonly step?: number }) => {
        if (event.event === "step" && event.step! + 1 === stopAfter) controller.abort();
      };
      await runTraining({ config, dataset, run: dir, resume, listen, stop: controller.signal, registry });
      return dir;
    };
    const whole = await run("whole");
    await run("parts", 2);
    const parts = await run("parts", undefined, true);
    for (const file of ["metrics", "weights"] as const)
      expect(readFileSync(runFiles(parts)[file]).equals(readFileSync(runFiles(whole)[file])), file).toBe(true);
  });

  it("refuses mini-batches of one example, and tokens", async () => {
    await expect(
      openSession(problemOf(settings({ name: "sgd" }, {}, { batch: 1 }), dataset, registry)),
    ).rejects.toThrow("data.mixup mixes the examples of a mini-batch, and there is one");
    const format = {
      inputShape: [4],
      targets: { kind: "labels", classes: 3 },
      mean: [],
      std: [],
      dtype: "i32",
    } as const;
    expect(() => taskOf(settings({ name: "sgd" }), registry, format)).toThrow("inputs are whole numbers");
  });
});
