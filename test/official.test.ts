import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadDataset } from "../src/data/index.ts";
import { pack } from "../src/nn/layout.ts";
import { optimizerOf } from "../src/train/graphs.ts";
import { imageFormat, modelOf } from "../src/train/problem.ts";
import { checkConfig } from "../src/train/settings.ts";
import { initialState } from "../src/train/state.ts";
import { createTrainer } from "../src/train/trainer.ts";
import { sizeOf } from "../src/util/shape.ts";
import { fill, normOf } from "./support/numbers.ts";
import { OFFICIAL_LATER, OFFICIAL_LOSS } from "./tolerances.ts";

interface Path {
  readonly losses: number[];
  readonly gradNorms: number[];
  readonly eigenvalues: number[];
  readonly runningNorm: number;
}

const STEPS = 100;
const BATCH = 64;

/** The same 100 steps as scripts/golden/official.py, by our trainer. */
async function follow(method: string): Promise<Path> {
  const config = checkConfig({
    threads: 2,
    model: { name: "resnet18", width: 16 },
    data: { batch: BATCH },
    method: { name: method, rho: 0.1, alpha: 0.2, every: 20, iterations: 5, compat: "official" },
    optimizer: { lr: 0.05, momentum: 0.9, weightDecay: 5e-4 },
  });
  const dataset = await loadDataset("fashion-mini");
  const format = imageFormat(dataset);
  const model = modelOf(config, format, BATCH);
  const state = initialState(model, optimizerOf(config), 1);
  const arrays = model.parameters.entries.map(({ name, shape, size }, k) => {
    const isNorm = /(bn\d|shortcut\.1)\./.test(name);
    const weight = name.endsWith("weight") ? shape : model.parameters.entries[k - 1]!.shape;
    const bound = 1 / Math.sqrt(sizeOf(weight.slice(1)));
    const values = isNorm ? new Float64Array(size).fill(name.endsWith("weight") ? 1 : 0) : fill(2000 + k, size, bound);
    return [name, values] as const;
  });
  pack(model.parameters, Object.fromEntries(arrays), state.theta);
  const start = model.parameters.entries.map(({ name, size }, k) => [name, fill(3000 + k, size)] as const);
  pack(model.parameters, Object.fromEntries(start), state.v);
  const length = normOf(state.v);
  state.v.forEach((value, i) => {
    state.v[i] = value / length;
  });

  const trainer = await createTrainer(config, model, format, state);
  const path: Path = { losses: [], gradNorms: [], eigenvalues: [], runningNorm: 0 };
  for (let step = 0; step < STEPS; step++) {
    const images = dataset.train.images.subarray(step * BATCH * 784, (step + 1) * BATCH * 784);
    const batch = { images, labels: dataset.train.labels.subarray(step * BATCH, (step + 1) * BATCH) };
    if (trainer.refreshDue({ step, stepInEpoch: step }))
      path.eigenvalues.push((await trainer.refresh(batch)).eigenvalue);
    const { loss, gradNorm } = await trainer.step(batch, 0.05);
    path.losses.push(loss);
    path.gradNorms.push(gradNorm);
  }
  await trainer.release();
  return { ...path, runningNorm: normOf(state.buffers) };
}

describe.each(["sam", "eigen-sam"])("compat = official, %s: 100 steps", (method) => {
  it("follow an independent PyTorch implementation", { timeout: 180_000 }, async () => {
    const golden: Record<"float32" | "float64", Path> = JSON.parse(
      readFileSync(new URL(`golden/official-${method}.json`, import.meta.url), "utf8"),
    );
    const ours = await follow(method);
    const exact = golden.float64;
    const gap = (a: number[], b: number[], from: number, to: number) =>
      Math.max(...a.slice(from, to).map((value, i) => Math.abs(value - b[from + i]!) / b[from + i]!));
    console.log(
      method,
      gap(ours.losses, exact.losses, 0, 30),
      gap(ours.losses, exact.losses, 30, 100),
      gap(golden.float32.losses, exact.losses, 0, 30),
      gap(golden.float32.losses, exact.losses, 30, 100),
      ours.eigenvalues,
      exact.eigenvalues,
      ours.runningNorm,
      exact.runningNorm,
    );
    expect(gap(ours.losses, exact.losses, 0, 30)).toBeLessThan(OFFICIAL_LOSS);
    expect(gap(ours.gradNorms, exact.gradNorms, 0, 30)).toBeLessThan(10 * OFFICIAL_LOSS);
    // Rounding grows along the path: PyTorch's own float32 leaves its float64 by then, too.
    expect(gap(ours.losses, exact.losses, 30, STEPS)).toBeLessThan(OFFICIAL_LATER);
    expect(ours.eigenvalues).toHaveLength(exact.eigenvalues.length);
    expect(Math.abs(ours.runningNorm / exact.runningNorm - 1)).toBeLessThan(OFFICIAL_LATER);
  });
});
