import { describe, expect, it } from "vitest";
import { smoothedDensity, spectralMoment, spectralQuadratures } from "../src/spectrum/density.ts";
import type { SymmetricOperator } from "../src/spectrum/operator.ts";
import { renyiSharpness } from "../src/spectrum/renyi.ts";
import {
  blockTraces,
  estimateOf,
  frobeniusNorm,
  hutchinson,
  hutchPlusPlus,
  orthonormal,
  signProbes,
  unitVectors,
} from "../src/spectrum/trace.ts";
import { inner, rademacher } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { operatorOf } from "./support/curvature.ts";
import { diagonal } from "./support/matrices.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { F64 } from "./tolerances.ts";

const random = (label: string) => rng(1, "curvature", label);

/** A symmetric matrix with no structure, and its numbers by their definitions. */
const N = 8;
const A = fill(11, N * N);
const rows = Array.from({ length: N }, (_, i) =>
  Float64Array.from({ length: N }, (_, j) => A[i * N + j]! + A[j * N + i]!),
);
const H = operatorOf(rows);
const trace = rows.reduce((sum, row, i) => sum + row[i]!, 0);
const frobenius = Math.sqrt(rows.reduce((sum, row) => sum + inner(row, row), 0));

describe("a mean over probes", () => {
  it("has the standard error of the mean, and none for one probe alone", () => {
    // Deviations −2, 0, 0, 2: variance 8/3.
    expect(estimateOf([3, 5, 5, 7])).toEqual({ mean: 5, stderr: expect.closeTo(Math.sqrt(8 / 3 / 4), 14) });
    expect(estimateOf([3])).toEqual({ mean: 3, stderr: Number.NaN });
    expect(estimateOf([2, 2]).stderr).toBe(0);
  });
});

describe("trace and Frobenius norm", () => {
  it.each([N, N + 5])("are exact, without error, from %d products", async (products) => {
    for (const [estimator, expected] of [
      [hutchinson, trace],
      [hutchPlusPlus, trace],
      [frobeniusNorm, frobenius],
    ] as const) {
      const found = await estimator(H, { products, random: random("exact") });
      expect(found).toEqual({ mean: expect.closeTo(expected, 12), stderr: 0, products: N });
    }
  });

  it("are means of zᵀHz and ‖Hz‖² over random signs, with fewer", async () => {
    const products = N - 1;
    const probes = Array.from(
      { length: products },
      (
        (stream) => () =>
          rademacher(N, "f64", stream)
      )(random("few")),
    );
    const images = await Promise.all(probes.map((z) => H.apply(z)));
    const found = await hutchinson(H, { products, random: random("few") });
    expect(found).toEqual({ ...estimateOf(probes.map((z, i) => inner(z, images[i]!))), products });
    expect(found.stderr).toBeGreaterThan(0);
    const squares = estimateOf(images.map((image) => inner(image, image)));
    const norm = await frobeniusNorm(H, { products, random: random("few") });
    expect(norm.mean).toBeCloseTo(Math.sqrt(squares.mean), 12);
    expect(norm.stderr).toBeCloseTo(squares.stderr / (2 * Math.sqrt(squares.mean)), 12);
    expect(norm.products).toBe(products);
    expect(await frobeniusNorm(diagonal([0, 0, 0]), { products: 2, random: random("zero") })).toEqual({
      mean: 0,
      stderr: 0,
      products: 2,
    });
  });

  it("of a block come from its part of the same probes", () => {
    const probes = [Float64Array.of(1, -1, 1), Float64Array.of(1, 1, -1)];
    const images = [Float64Array.of(2, 3, 4), Float64Array.of(5, 7, 11)];
    const blocks = [
      { start: 0, end: 1 },
      { start: 1, end: 3 },
    ];
    expect(blockTraces(probes, images, blocks)).toEqual([estimateOf([2, 5]), estimateOf([1, -4])]);
  });
});

describe("Hutch++", () => {
  it("is far more precise than Hutchinson's estimate where few eigenvalues are large, at the same cost", async () => {
    // A rotated spectrum: diagonal matrices are exact for random signs.
    const n = 60;
    const normal = fill(3, n);
    const reflect = (x: ArrayLike<number>) => {
      const along = (2 * inner(normal, Float64Array.from(x))) / inner(normal, normal);
      return Float64Array.from(x, (value, i) => value - along * normal[i]!);
    };
    const spectrum = Float64Array.from({ length: n }, (_, i) => (i < 4 ? 100 - 20 * i : 1 / (i + 1)));
    const H: SymmetricOperator = {
      dim: n,
      dtype: "f64",
      apply: async (v) => reflect(reflect(v).map((x, i) => x * spectrum[i]!)),
    };
    const trace = spectrum.reduce((a, b) => a + b, 0);
    const plus = await hutchPlusPlus(H, { products: 24, random: random("plus") });
    const plain = await hutchinson(H, { products: 24, random: random("plain") });
    expect(Math.abs(plus.mean - trace)).toBeLessThan(4 * plus.stderr);
    expect(plus.stderr).toBeLessThan(plain.stderr / 10);
  });

  it("holds a matrix of small rank whole, and is Hutchinson's on what is orthogonal to it", async () => {
    const [u, w] = [fill(5, 30), fill(6, 30)];
    const low: SymmetricOperator = {
      dim: 30,
      dtype: "f64",
      apply: async (v) => u.map((x, i) => 3 * inner(u, v) * x + inner(w, v) * w[i]!),
    };
    const found = await hutchPlusPlus(low, { products: 8, random: random("rank") });
    expect(found.mean).toBeCloseTo(3 * inner(u, u) + inner(w, w), 9);
    expect(found.stderr).toBeLessThan(1e-9);
    expect(found.products).toBe(8);
    const single: SymmetricOperator = { ...low, apply: async (v) => u.map((x) => inner(u, v) * x) };
    // Of the two vectors that look for the subspace one is enough, so one product is saved.
    expect((await hutchPlusPlus(single, { products: 7, random: random("rank") })).products).toBe(6);
  });

  it("adds both parts", async () => {
    const found = await hutchPlusPlus(H, { products: 7, random: random("parts") });
    const stream = random("parts");
    const Q = orthonormal(await Promise.all(signProbes(H, 2, stream).map((z) => H.apply(z))));
    const P = (z: ArrayLike<number>) =>
      Float64Array.from(z, (x, at) => x - Q.reduce((sum, q) => sum + inner(q, Float64Array.from(z)) * q[at]!, 0));
    const images = async (zs: readonly Float64Array[]) => Promise.all(zs.map(async (z) => inner(z, await H.apply(z))));
    const held = (await images(Q as Float64Array[])).reduce((a, b) => a + b, 0);
    const rest = estimateOf(await images(signProbes(H, 3, stream).map(P)));
    expect(found.mean).toBeCloseTo(held + rest.mean, 12);
    expect(found.stderr).toBeCloseTo(rest.stderr, 12);
    expect(found.products).toBe(7);
  });

  it("makes a basis of any scale, without what adds nothing", () => {
    const basis = orthonormal([
      Float64Array.of(0, 0, 0),
      Float64Array.of(3e-8, 4e-8, 0),
      Float64Array.of(6e9, 8e9, 0),
      Float64Array.of(1e9, 0, 1e9),
    ]);
    expect(basis).toHaveLength(2);
    expect(orthonormal([Float64Array.of(3e-8, 4e-8)])).toHaveLength(1);
    for (const [i, q] of basis.entries())
      for (const [j, p] of basis.entries()) expect(inner(q, p)).toBeCloseTo(i === j ? 1 : 0, 14);
    expect(basis[0]![1]).toBeCloseTo(0.8, 14);
    const given = Float64Array.of(1, 1);
    orthonormal([Float64Array.of(1, 0), given]);
    expect([...given]).toEqual([1, 1]);
  });

  it("has unit vectors in the operator's format", () => {
    expect(unitVectors({ ...diagonal([1, 2]), dtype: "f32" })).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)]);
    expect(signProbes({ ...H, dtype: "f32" }, 3, random("signs"))).toHaveLength(3);
  });
});

describe("spectral quadratures", () => {
  it("have zᵀHᵏz for moments, told one by one, and end where the space does", async () => {
    const probes = Array.from({ length: 6 }, (_, i) => fill(20 + i, N));
    let products = 0;
    const told: number[] = [];
    const quadratures = await spectralQuadratures(H, {
      steps: 3,
      probes,
      random: random("density"),
      onProduct: () => products++,
      onQuadrature: ({ nodes }) => told.push(nodes.length),
    });
    expect([products, told]).toEqual([18, new Array(6).fill(3)]);
    for (const [i, z] of probes.entries()) {
      const image = await H.apply(z);
      const { nodes, weights } = quadratures[i]!;
      const moment = (power: number) => nodes.reduce((sum, x, k) => sum + weights[k]! * x ** power, 0);
      const square = inner(z, z);
      const expected = [1, inner(z, image) / square, inner(image, image) / square];
      expect(relativeError([moment(0), moment(1), moment(2)], expected)).toBeLessThan(F64);
    }
    const few = await spectralQuadratures(diagonal([4, 4, 1]), { steps: 3, probes: 5, random: random("few") });
    expect(few.map(({ nodes }) => nodes.length)).toEqual([2, 2, 2, 2, 2]);
    for (const { weights } of few) expect(weights[1]).toBeCloseTo(2 / 3, 12);
  });

  it("have moments that are means over the probes", () => {
    const quadratures = [
      { nodes: [1, 2], weights: [0.25, 0.75] },
      { nodes: [3], weights: [1] },
    ];
    expect(spectralMoment(quadratures, 2)).toEqual(estimateOf([0.25 + 0.75 * 4, 9]));
  });
});

describe("the smoothed density", () => {
  const pair = [
    { nodes: [-1, 3], weights: [0.25, 0.75] },
    { nodes: [1], weights: [1] },
  ];

  it("has a width of a hundredth of the spectrum, and an area of 1", () => {
    const { grid, density, sigma } = smoothedDensity(pair);
    expect(grid).toHaveLength(400);
    expect(sigma).toBeCloseTo(0.04, 14);
    expect([grid[0], grid.at(-1)]).toEqual([expect.closeTo(-1.16, 12), expect.closeTo(3.16, 12)]);
    const step = grid[1]! - grid[0]!;
    expect(density.reduce((sum, x) => sum + x * step, 0)).toBeCloseTo(1, 3);
  });

  it("is the mean of the probes' Gaussians, with its standard error", () => {
    const sigma = 0.5;
    const { grid, density, stderr } = smoothedDensity(pair, { points: 7, sigma });
    expect(grid).toHaveLength(7);
    const bell = (x: number) => Math.exp(-(x ** 2) / 2 / sigma ** 2) / Math.sqrt(2 * Math.PI * sigma ** 2);
    const each = grid.map((x) => estimateOf([0.25 * bell(x + 1) + 0.75 * bell(x - 3), bell(x - 1)]));
    expect(
      relativeError(
        density,
        each.map(({ mean }) => mean),
      ),
    ).toBeLessThan(F64);
    expect(
      relativeError(
        stderr,
        each.map((estimate) => estimate.stderr),
      ),
    ).toBeLessThan(F64);
  });

  it.each([
    [[5, 5], 5e-12],
    [[-5, -5], 5e-12],
    [[0, 0], 1e-30],
    [[-3, 5], 0.08],
  ])("has a width for the nodes %j", (nodes, sigma) => {
    expect(smoothedDensity([{ nodes, weights: [0.5, 0.5] }]).sigma).toBeCloseTo(sigma, 40);
  });
});

describe("Rényi sharpness", () => {
  it("is log Σp² of |λ|, with the jackknife's error over the probes", () => {
    const quadratures = [
      { nodes: [-1, 3], weights: [0.25, 0.75] },
      { nodes: [1, 2], weights: [0.5, 0.5] },
      { nodes: [-2], weights: [1] },
    ];
    const size = 10;
    const sharpness = (first: number, second: number) => Math.log((size * second) / (size * first) ** 2);
    expect(renyiSharpness(quadratures, size).mean).toBeCloseTo(sharpness((2.5 + 1.5 + 2) / 3, (7 + 2.5 + 4) / 3), 12);
    const without = quadratures.map((_, i) => renyiSharpness(quadratures.toSpliced(i, 1), size).mean);
    const { stderr } = estimateOf(without);
    // The jackknife's is (n − 1) times that of independent numbers.
    expect(renyiSharpness(quadratures, size).stderr).toBeCloseTo(2 * stderr, 12);
    const one = renyiSharpness(quadratures.slice(0, 1), size);
    expect(one).toEqual({ mean: expect.closeTo(sharpness(2.5, 7), 12), stderr: Number.NaN });
  });
});
