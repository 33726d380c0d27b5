import { beforeAll, describe, expect, it } from "vitest";
import { type CurvatureRequest, measureProblem, type Progress } from "../src/curvature/measure.ts";
import type { CurvatureResult } from "../src/curvature/result.ts";
import { initialize } from "../src/nn/layout.ts";
import { rng } from "../src/util/rng.ts";
import { lossOf } from "./support/curvature.ts";
import { batchesOf, normedModel, normedNetwork } from "./support/small-losses.ts";

const layout = normedModel.parameters;
const theta = initialize(layout, (name) => rng(3, "theta", name), new Float64Array(layout.size));
const slices = [{ directions: ["g"], points: 5 }] as const;
const request: Partial<CurvatureRequest> = {
  ...{ top: 2, trace: true, density: true, layers: true, probes: 6, steps: 6, tolerance: 1e-2, slices },
};

interface Measured extends Omit<CurvatureResult, "seconds" | "products"> {
  readonly progress: readonly Progress[];
}

/** Measures, and stops at a progress that is the one looked for. */
async function stoppedAt(found: (progress: Progress) => boolean): Promise<Measured> {
  const loss = lossOf({
    network: normedNetwork,
    inputShape: [1, 6, 6],
    classes: 6,
    batches: batchesOf([10, 10]),
    buffers: new Float64Array(normedModel.buffers.size),
  });
  const problem = { loss, layout, theta, model: "normed", data: "noise", order: "first", bn: "batch" } as const;
  const controller = new AbortController();
  const progress: Progress[] = [];
  const listen = (at: Progress) => {
    progress.push(at);
    if (found(at)) controller.abort();
  };
  const { seconds: _, products: __, ...result } = await measureProblem(problem, request, listen, controller.signal);
  return { ...result, progress };
}

describe("a measurement that is stopped", () => {
  let whole: Measured;
  beforeAll(async () => {
    whole = await stoppedAt(() => false);
  });

  const all = ["eigenvalues", "copies", "residuals", "heldOut", "trace", "frobenius", "density", "layers", "slices"];

  it("has nothing missing where it is not", () => {
    expect(whole.missing).toBeUndefined();
    expect(whole).toMatchObject({ converged: true, complete: true });
    expect([whole.trace, whole.frobenius, whole.density].every((each) => each !== undefined)).toBe(true);
  });

  it("says of each part how many products it takes before it begins", () => {
    const begun = whole.progress.filter(({ done }) => done === 0);
    const parts = ["eigenvalues", "copies", "check", "held out", "trace", "trace", "density", "layers"];
    expect(begun.map(({ part }) => part)).toEqual(parts);
    expect(begun.every(({ of }) => of > 0)).toBe(true);
    expect(whole.progress.every(({ part, done, of }) => done <= of || part === "held out")).toBe(true);
  });

  it("during the eigenvalues gives those of the space until then, which lie inside, and claims no residuals", async () => {
    const { progress, ...result } = await stoppedAt(({ part, done }) => part === "eigenvalues" && done === 4);
    expect(progress.filter(({ done }) => done > 0)).toHaveLength(4);
    expect(result.missing).toEqual(all);
    expect(result).toMatchObject({ residuals: [], bottomResiduals: [], heldOut: [], converged: false });
    expect(result.eigenvalues).toHaveLength(2);
    expect(result.eigenvalues[0]).toBeLessThan(whole.eigenvalues[0]!);
    expect(result.eigenvalues[0]).toBeGreaterThan(0);
    expect(result.loss).toBe(whole.loss);
  });

  it("at the first product keeps loss and gradient", async () => {
    const { eigenvalues, loss, gradNorm, missing } = await stoppedAt(({ done }) => done === 0);
    expect({ eigenvalues, loss, gradNorm }).toEqual({ eigenvalues: [], loss: whole.loss, gradNorm: whole.gradNorm });
    expect(missing).toEqual(all);
  });

  it("during the trace keeps what came before, as it is without a stop", async () => {
    const { progress: _, ...result } = await stoppedAt(({ part, done }) => part === "trace" && done === 1);
    const { progress: __, trace, frobenius, density, renyi, layers, slices: drawn, ...rest } = whole;
    expect(result).toEqual({ ...rest, missing: all.slice(4) });
  });

  it("during the density keeps the probes that are done", async () => {
    const { density, missing } = await stoppedAt(({ part, done }) => part === "density" && done === 30);
    expect(density).toMatchObject({ probes: 4, steps: 6 });
    expect(whole.density).toMatchObject({ probes: 6, steps: 6 });
    expect(missing).toEqual(all.slice(6));
  });

  it("during the layers keeps those that are done", async () => {
    const most = whole.progress.filter(({ part }) => part === "layers").at(-1)!.done;
    const { layers, missing } = await stoppedAt(({ part, done }) => part === "layers" && done === most - 1);
    expect(layers!.length).toBeGreaterThan(0);
    expect(layers!.length).toBeLessThan(whole.layers!.length);
    for (const layer of layers!) expect(whole.layers).toContainEqual(layer);
    expect(missing).toEqual(["layers", "slices"]);
  });

  it("during a slice keeps its points", async () => {
    const { slices: drawn, missing } = await stoppedAt(({ part, done }) => part === "slice" && done === 2);
    const full = whole.slices![0]!;
    expect(drawn).toEqual([{ ...full, loss: [...full.loss.slice(0, 2), ...Array(3).fill(Number.NaN)] }]);
    expect(missing).toEqual(["slices"]);
  });
});
