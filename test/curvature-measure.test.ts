import { beforeAll, describe, expect, it } from "vitest";
import { crossFitted } from "../src/curvature/cross-fit.ts";
import { type CurvatureRequest, measureProblem } from "../src/curvature/measure.ts";
import { warnings } from "../src/cli/curvature/show.ts";
import { spectralQuadratures } from "../src/spectrum/density.ts";
import { renyiSharpness } from "../src/spectrum/renyi.ts";
import { unitVectors } from "../src/spectrum/trace.ts";
import { inner } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { densePairs, matrixLoss, operatorOf } from "./support/curvature.ts";
import { fill } from "./support/numbers.ts";
import { DENSE, SIGMAS } from "./tolerances.ts";

const diagonal = (values: readonly number[]) =>
  values.map((x, i) => Float64Array.from(values, (_, j) => (i === j ? x : 0)));

/** Measures quadratics of known Hessians, whose parameters are two modules. */
async function measured(
  matrices: Parameters<typeof matrixLoss>[0],
  request: Partial<CurvatureRequest>,
  dtype: "f32" | "f64" = "f64",
) {
  const loss = matrixLoss(matrices, dtype);
  const half = Math.floor(loss.size / 2);
  const entry = (name: string, offset: number, size: number) => ({ name, shape: [size], offset, size });
  const entries = [entry("a.weight", 0, half), entry("b.weight", half, loss.size - half)];
  const theta = dtype === "f64" ? Float64Array.from(fill(2, loss.size)) : Float32Array.from(fill(2, loss.size));
  const layout = { entries, size: loss.size } as never;
  return measureProblem({ loss, layout, theta, ...{ model: "m", data: "d", order: "first", bn: null } }, request);
}

describe("converged", () => {
  it("is what the measured residuals say, where the iteration is content with rounding", async () => {
    const values = [1000, 500, ...Array.from({ length: 60 }, (_, i) => 5e-3 + 1e-4 * i)];
    const result = await measured([diagonal(values)], { top: 1, bottom: 1, maxProducts: 62 }, "f32");
    expect(result.residuals[0]).toBeLessThan(1e-3);
    expect(result.bottomResiduals[0]).toBeGreaterThan(1e-3);
    expect(result.converged).toBe(false);
    expect(warnings(result, { tolerance: 1e-3, maxProducts: 62 }).join()).toContain("not converged");
    expect((await measured([diagonal(values)], { top: 1, bottom: 0 }, "f32")).converged).toBe(true);
  });

  it("goes with the tolerance, at which a residual still is converged", async () => {
    const values = Array.from({ length: 60 }, (_, i) => i);
    const { residuals, converged } = await measured([diagonal(values)], { top: 2, maxProducts: 12, copies: false });
    expect(converged).toBe(false);
    const worst = Math.max(...residuals);
    const again = (tolerance: number) =>
      measured([diagonal(values)], { top: 2, maxProducts: 12, copies: false, tolerance });
    expect((await again(1.001 * worst)).converged).toBe(true);
    expect((await again(0.999 * worst)).converged).toBe(false);
  });

  it("is said of every layer, with a residual that is measured", async () => {
    // The first block converges at once; the largest eigenvalue of the second is small for its spread.
    const close = Array.from({ length: 200 }, (_, i) => 5 - i);
    const values = [...Array.from({ length: 200 }, (_, i) => (i === 0 ? 7 : 0.01 * (i % 5))), ...close];
    const { layers } = await measured([diagonal(values)], { layers: true, probes: 2 });
    expect(layers!.map(({ name, converged }) => [name, converged])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    expect(layers![0]!.eigenvalue).toBeCloseTo(7, 2);
    expect(layers![1]!.residual).toBeGreaterThan(2e-2);
    // An eigenvalue lies within the residual of the value.
    const { eigenvalue, residual } = layers![1]!;
    expect(Math.min(...close.map((x) => Math.abs(x - eigenvalue)))).toBeLessThanOrEqual(
      residual * Math.abs(eigenvalue),
    );
    expect(eigenvalue).toBeLessThan(close[0]!);
  });
});

describe("cross-fitting", () => {
  const [dim, batches, sets] = [10, 6, 300];
  const spectrum = [3, 2.4, ...Array<number>(dim - 2).fill(0)];
  const lambda = spectrum[0]!;

  /** H̄ and noise of its own for every mini-batch: symmetric, normal, the same for every rotation. */
  const drawn = (set: number, noise = 0.4) => {
    const random = rng(set, "matrices");
    return Array.from({ length: batches }, () => {
      const rows = diagonal(spectrum);
      for (let i = 0; i < dim; i++)
        for (let j = 0; j <= i; j++) {
          const by = noise * random.normal() * (i === j ? Math.SQRT2 : 1);
          rows[i]![j]! += by;
          if (i !== j) rows[j]![i]! += by;
        }
      return rows;
    });
  };
  const meanOf = (matrices: readonly Float64Array[][]) =>
    matrices[0]!.map((row, i) => row.map((_, j) => matrices.reduce((sum, m) => sum + m[i]![j]!, 0) / matrices.length));
  const moments = (xs: readonly number[]) => {
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
    const sd = Math.sqrt(xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (xs.length - 1));
    return { mean, sd, error: sd / Math.sqrt(xs.length) };
  };

  const simulated = (noise: number) =>
    Promise.all(
      Array.from({ length: sets }, async (_, set) => {
        const matrices = drawn(set, noise);
        const loss = matrixLoss(matrices);
        const theta = new Float64Array(dim);
        const [held] = await crossFitted(
          { batches, hessian: (of) => loss.hessian(theta, of), quotients: (v, of) => loss.quotients(theta, v, of) },
          { top: 1, tolerance: 1e-6, maxProducts: dim, copies: false, random: rng(set, "cross-fit") },
        );
        // What it estimates: the curvature under H̄ itself of the eigenvectors of the halves.
        const halves = [0, 1].map((k) => densePairs(meanOf(matrices.filter((_, b) => b % 2 === k)))[0]!.vector);
        const target = halves.reduce((sum, v) => sum + v.reduce((s, x, i) => s + x * x * spectrum[i]!, 0), 0) / 2;
        return { held: held!, target, plain: densePairs(meanOf(matrices))[0]!.value };
      }),
    );

  let noisy: Awaited<ReturnType<typeof simulated>>;
  beforeAll(async () => {
    noisy = await simulated(0.4);
  });

  it("has the expectation of vᵀH̄v, below λ₁(H̄), where λ₁ of the same images lies above it", async () => {
    const samples = noisy;
    const plain = moments(samples.map((s) => s.plain));
    expect(plain.mean - lambda).toBeGreaterThan(SIGMAS * plain.error);
    const error = moments(samples.map(({ held, target }) => held.mean - target));
    expect(Math.abs(error.mean)).toBeLessThan(SIGMAS * error.error);
    const held = moments(samples.map((s) => s.held.mean));
    expect(lambda - held.mean).toBeGreaterThan(SIGMAS * held.error);
  });

  it.each([
    [0.05, 0.9, 1.1],
    // The halves are correlated where noise turns their eigenvectors: the error is then too small by up to a fifth.
    [0.4, 0.8, 1],
  ])("gives standard errors that are those of the deviations from vᵀH̄v: noise %d", async (noise, least, most) => {
    const samples = noise === 0.4 ? noisy : await simulated(noise);
    const claimed = Math.sqrt(samples.reduce((sum, s) => sum + s.held.stderr ** 2, 0) / sets);
    const { sd } = moments(samples.map(({ held, target }) => held.mean - target));
    expect(claimed / sd).toBeGreaterThan(least);
    expect(claimed / sd).toBeLessThan(most);
  });

  it("takes every eigenvector from the other half alone, by the numbers of a few matrices", async () => {
    const matrices = drawn(1000).slice(0, 5);
    const { heldOut } = await measured(matrices, { top: 2 });
    const halves = [0, 1].map((k) => matrices.filter((_, b) => b % 2 === k));
    const vectors = halves.map((half) => densePairs(meanOf(half)).slice(0, 2));
    for (const k of [0, 1]) {
      const quotient = (matrix: Float64Array[], v: Float64Array) =>
        v.reduce((sum, x, i) => sum + x * inner(matrix[i]!, v), 0);
      const each = matrices.map((matrix, b) => quotient(matrix, vectors[1 - (b % 2)]![k]!.vector));
      const { mean, error } = moments(each);
      // Eigenvectors of halves have residuals of 1e-2.
      expect(heldOut[k]!.mean).toBeCloseTo(mean, 2);
      expect(heldOut[k]!.stderr).toBeCloseTo(error, 2);
    }
  });

  it("is left out with one mini-batch, and where it is not wanted", async () => {
    expect((await measured(drawn(1).slice(0, 1), {})).heldOut).toEqual([]);
    expect((await measured(drawn(1), { crossFit: false })).heldOut).toEqual([]);
    expect((await measured(drawn(1), { top: 0, bottom: 1 })).heldOut).toEqual([]);
  });
});

describe("Rényi sharpness", () => {
  const of = (values: readonly number[]) => {
    const sum = values.reduce((a, x) => a + Math.abs(x), 0);
    return Math.log(values.reduce((a, x) => a + (x / sum) ** 2, 0));
  };

  it("is −H₂ of the normalized spectrum, exactly from the whole basis", async () => {
    for (const [values, expected] of [
      [[5, -3, 1, 0.5, 0], undefined],
      [[2, 2, -2, 2], -Math.log(4)],
      [[0, 0, 7, 0], 0],
    ] as const) {
      const H = operatorOf(diagonal(values));
      const options = { steps: values.length, probes: unitVectors(H), random: rng(1) };
      const { mean } = renyiSharpness(await spectralQuadratures(H, options), values.length);
      expect(mean).toBeCloseTo(expected ?? of(values), 10);
    }
  });

  it("is estimated by random probes within its errors, for the whole and for each layer", async () => {
    const random = rng(7, "rotated");
    const a = Array.from({ length: 60 }, () => Float64Array.from({ length: 60 }, () => random.normal()));
    const H = a.map((row, i) => Float64Array.from(a, (_, j) => (row[j]! + a[j]![i]!) / 2 + (i === j ? 3 : 0)));
    const request = { layers: true, renyi: true, density: true, probes: 24, steps: 30 };
    const { renyi, layers } = await measured([H], request);
    const block = (from: number, to: number) =>
      of(densePairs(H.slice(from, to).map((row) => row.slice(from, to))).map(({ value }) => value));
    const expected = [of(densePairs(H).map(({ value }) => value)), block(0, 30), block(30, 60)];
    for (const [i, estimate] of [renyi!, ...layers!.map((layer) => layer.renyi!)].entries()) {
      expect(estimate.stderr).toBeLessThan(0.2);
      expect(Math.abs(estimate.mean - expected[i]!)).toBeLessThan(SIGMAS * estimate.stderr + DENSE);
    }
    expect((await measured([diagonal([3, 1, 1, 2])], request)).layers!.map((layer) => layer.renyi)).toEqual(
      [
        [3, 1],
        [1, 2],
      ].map((values) => ({ mean: expect.closeTo(of(values), 10), stderr: 0 })),
    );
  });
});
