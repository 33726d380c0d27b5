import { beforeAll, describe, expect, it } from "vitest";
import { smoothedDensity, spectralMoment, spectralQuadratures } from "../src/spectrum/density.ts";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import { blockOf, type SymmetricOperator } from "../src/spectrum/operator.ts";
import { largestEigenvalue } from "../src/spectrum/power.ts";
import {
  blockTraces,
  frobeniusNorm,
  hutchinson,
  hutchPlusPlus,
  signProbes,
  unitVectors,
} from "../src/spectrum/trace.ts";
import { inner, length, type Vector } from "../src/spectrum/vectors.ts";
import type { EmpiricalLoss } from "../src/train/streamed.ts";
import { initialize } from "../src/nn/layout.ts";
import { rng } from "../src/util/rng.ts";
import { type Dense, denseNumbers, denseOf, densePairs, lossOf, operatorOf } from "./support/curvature.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { batchesOf, golden, normedModel, normedNetwork, tanhLoss, tanhTheta } from "./support/small-losses.ts";
import { DENSE, GOLDEN_F64 } from "./tolerances.ts";

const random = (label: string) => rng(1, "curvature", label);

interface Case {
  readonly name: string;
  readonly loss: EmpiricalLoss;
  readonly theta: Vector;
  /** From another program, where there is one. */
  readonly oracle?: Dense;
}

const cases: readonly Case[] = [
  {
    name: "a tanh network of 74 parameters, diagonalized by PyTorch",
    loss: tanhLoss(),
    theta: tanhTheta,
    oracle: {
      eigenvalues: golden.eigenvalues.toReversed(),
      trace: golden.eigenvalues.reduce((a, b) => a + b, 0),
      frobenius: Math.sqrt(golden.eigenvalues.reduce((a, b) => a + b * b, 0)),
    },
  },
  {
    name: "a batch-normalized convolutional network over three mini-batches, the last one short",
    loss: lossOf({
      network: normedNetwork,
      inputShape: [1, 6, 6],
      classes: 6,
      batches: batchesOf([10, 10, 4]),
      buffers: new Float64Array(normedModel.buffers.size),
    }),
    theta: initialize(
      normedModel.parameters,
      (name) => rng(3, "theta", name),
      new Float64Array(normedModel.parameters.size),
    ),
  },
];

describe.each(cases)("$name", ({ loss, theta, oracle }) => {
  let dense: Dense;
  let rows: readonly Vector[];
  let H: SymmetricOperator;
  beforeAll(async () => {
    H = loss.hessian(theta);
    rows = await denseOf(H);
    dense = oracle ?? denseNumbers(rows);
  });

  it("has a symmetric Hessian", () => {
    const flipped = rows.flatMap((_, i) => rows.map((row) => row[i]!));
    expect(
      relativeError(
        rows.flatMap((row) => [...row]),
        flipped,
      ),
    ).toBeLessThan(GOLDEN_F64);
  });

  it("gives its outer eigenvalues to Lanczos, with bounds that hold", async () => {
    const found = await extremeEigenpairs(H, {
      top: 4,
      bottom: 3,
      tolerance: 1e-4,
      maxProducts: 70,
      random: random("extremes"),
    });
    expect(found.converged).toBe(true);
    const expected = [...dense.eigenvalues.slice(0, 4), ...dense.eigenvalues.toReversed().slice(0, 3)];
    const pairs = [...found.top, ...found.bottom];
    for (const [i, { eigenvalue, residual, vector }] of pairs.entries()) {
      expect(relativeError([eigenvalue], [expected[i]!])).toBeLessThan(DENSE);
      const image = await H.apply(vector);
      const error = image.map((x, at) => x - eigenvalue * vector[at]!) as Vector;
      // The iteration's own estimate of the residual is the measured one.
      expect(Math.abs(length(error) / Math.abs(eigenvalue) - residual)).toBeLessThan(1e-7);
      expect(Math.abs(length(vector) - 1)).toBeLessThan(1e-12);
    }
  });

  it("gives all of them when as many products as parameters are allowed", async () => {
    const found = await extremeEigenpairs(H, {
      top: H.dim,
      bottom: 0,
      tolerance: 0,
      maxProducts: H.dim,
      random: random("all"),
    });
    const scale = Math.abs(dense.eigenvalues[0]!);
    for (const [i, { eigenvalue }] of found.top.entries())
      expect(Math.abs(eigenvalue - dense.eigenvalues[i]!) / scale).toBeLessThan(DENSE);
  });

  it("gives its largest signed eigenvalue to the power iteration, shifted where a negative one is larger", async () => {
    const start = Float64Array.from(fill(77, H.dim));
    const top = await largestEigenvalue(H, { start, tolerance: 1e-5, maxProducts: 20_000 });
    expect(top.converged).toBe(true);
    expect(relativeError([top.eigenvalue], [dense.eigenvalues[0]!])).toBeLessThan(DENSE);
  });

  it("gives its trace and Frobenius norm exactly when the products suffice, by every estimator", async () => {
    const options = { products: H.dim, random: random("exact") };
    for (const estimator of [hutchinson, hutchPlusPlus]) {
      const { mean: trace, stderr } = await estimator(H, options);
      expect(relativeError([trace], [dense.trace])).toBeLessThan(DENSE);
      expect(stderr).toBe(0);
    }
    expect(relativeError([(await frobeniusNorm(H, options)).mean], [dense.frobenius])).toBeLessThan(DENSE);
  });

  it("gives trace and Frobenius norm within four standard errors from a few random probes", async () => {
    const options = { products: 45, random: random("estimates") };
    const exact = { hutchinson: dense.trace, hutchPlusPlus: dense.trace, frobeniusNorm: dense.frobenius };
    const found = {
      hutchinson: await hutchinson(H, options),
      hutchPlusPlus: await hutchPlusPlus(H, options),
      frobeniusNorm: await frobeniusNorm(H, options),
    };
    for (const [name, { mean: value, stderr, products }] of Object.entries(found)) {
      expect(products, name).toBeLessThanOrEqual(45);
      expect(Math.abs(value - exact[name as keyof typeof exact]), name).toBeLessThan(4 * stderr);
    }
  });

  it("gives density moments exactly from the full basis of probes", async () => {
    const options = { steps: 4, probes: unitVectors(H), random: random("density") };
    const quadratures = await spectralQuadratures(H, options);
    for (let power = 0; power <= 7; power++) {
      const expected = dense.eigenvalues.reduce((sum, x) => sum + x ** power, 0) / H.dim;
      expect(relativeError([spectralMoment(quadratures, power).mean], [expected]), `moment ${power}`).toBeLessThan(
        DENSE,
      );
    }
  });

  it("has the smoothed density of its dense eigenpairs, each weighted by its part of every probe", async () => {
    // With as many steps as there are dimensions, a probe's quadrature is its whole spectral measure.
    const [sigma, count] = [0.05 * dense.eigenvalues[0]!, 2];
    const probes = signProbes(H, count, random("smooth"));
    const quadratures = await spectralQuadratures(operatorOf(rows), { steps: H.dim, probes, random: random("rest") });
    const { grid, density, stderr } = smoothedDensity(quadratures, { points: 200, sigma });
    const pairs = densePairs(rows.map((row, i) => row.map((x, j) => (x + rows[j]![i]!) / 2)));
    const bell = (x: number) => Math.exp(-((x / sigma) ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI));
    const each = probes.map((z) => {
      const weights = pairs.map(({ vector }) => inner(vector, z) ** 2 / inner(z, z));
      return grid.map((x) => pairs.reduce((sum, { value }, i) => sum + weights[i]! * bell(x - value), 0));
    });
    const mean = grid.map((_, at) => each.reduce((sum, one) => sum + one[at]!, 0) / count);
    const errors = grid.map((_, at) => {
      const squares = each.reduce((sum, one) => sum + (one[at]! - mean[at]!) ** 2, 0);
      return Math.sqrt(squares / (count - 1) / count);
    });
    expect(relativeError(density, mean)).toBeLessThan(DENSE);
    expect(relativeError(stderr, errors)).toBeLessThan(DENSE);
    expect(Math.max(...grid) - pairs[0]!.value).toBeCloseTo(4 * sigma, 6);
  });

  it("gives blocks their own eigenvalues and traces", async () => {
    const [start, end] = [3, 3 + Math.floor(H.dim / 3)];
    const block = denseNumbers(rows.slice(start, end).map((row) => row.slice(start, end)));
    const found = await extremeEigenpairs(blockOf(H, start, end), {
      top: 1,
      bottom: 0,
      tolerance: 1e-5,
      maxProducts: end - start,
      random: random("block"),
    });
    expect(relativeError([found.top[0]!.eigenvalue], [block.eigenvalues[0]!])).toBeLessThan(DENSE);
    const probes = signProbes(H, 400, random("blocks"));
    const images = await Promise.all(probes.map((z) => operatorOf(rows).apply(z)));
    const [estimate] = blockTraces(probes, images, [{ start, end }]);
    expect(Math.abs(estimate!.mean - block.trace)).toBeLessThan(4 * estimate!.stderr);
  });
});
