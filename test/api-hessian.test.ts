import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { matmul, mean, mul, reshape, sub } from "../src/index.ts";
import { eigenpairs, type HessianOptions, hessianOf, spectralDensity, type SymmetricOperator } from "../src/node.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { F32, F64 } from "./tolerances.ts";

const d = 6;
const sizes = [5, 5, 3];
const total = 13;
const [A, y, theta] = [fill(1, total * d), fill(2, total), fill(3, d)];
const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));

/** f(θ) = mean over all rows of (Aθ − y)², in batches of 5, 5 and 3 rows. */
function options(array: typeof Float32Array | typeof Float64Array): HessianOptions<"a" | "y"> {
  return {
    f: (t, batch) => {
      const error = sub(matmul(batch.a, reshape(t, [d, 1])), batch.y);
      return mean(mul(error, error));
    },
    theta: array.from(theta),
    batches: sizes.map((n, i) => {
      const from = starts[i] ?? 0;
      return {
        a: { data: array.from(A.slice(from * d, (from + n) * d)), shape: [n, d] },
        y: { data: array.from(y.slice(from, from + n)), shape: [n, 1] },
      };
    }),
    threads: 1,
  };
}

const rows = new Matrix(Array.from({ length: total }, (_, i) => Array.from(A.slice(i * d, (i + 1) * d))));
const H = rows
  .transpose()
  .mmul(rows)
  .mul(2 / total);
const exact = new EigenvalueDecomposition(H, { assumeSymmetric: true }).realEigenvalues.sort((a, b) => b - a);
const errors = Matrix.sub(rows.mmul(Matrix.columnVector(Array.from(theta))), Matrix.columnVector(Array.from(y)));

describe.each([
  ["f32", Float32Array, 10 * F32],
  ["f64", Float64Array, F64],
] as const)("the Hessian of a quadratic in %s", (dtype, array, tolerance) => {
  it("is that of all rows, however they are batched", async () => {
    const hessian = await hessianOf(options(array));
    expect([hessian.dim, hessian.dtype]).toEqual([d, dtype]);
    const columns = await Promise.all(
      Array.from({ length: d }, (_, j) =>
        hessian.apply(array.from(Array.from({ length: d }, (_, i) => Number(i === j)))),
      ),
    );
    expect(columns[0]).toBeInstanceOf(array);
    expect(
      relativeError(
        columns.flatMap((column) => Array.from(column)),
        H.to1DArray(),
      ),
    ).toBeLessThan(tolerance);
    const { loss, gradient, gradNorm } = await hessian.gradient();
    const g = rows
      .transpose()
      .mmul(errors)
      .mul(2 / total)
      .to1DArray();
    expect(relativeError([loss], [errors.dot(errors) / total])).toBeLessThan(tolerance);
    expect(relativeError(gradient, g)).toBeLessThan(tolerance);
    expect(relativeError([gradNorm], [Math.hypot(...g)])).toBeLessThan(tolerance);
    await hessian.release();
  });

  it("has the eigenpairs of the matrix", async () => {
    const hessian = await hessianOf(options(array));
    const found = await eigenpairs(hessian, { top: 2, bottom: 1, tolerance: 1e-4 });
    expect(found.converged).toBe(true);
    expect(relativeError(found.values, [exact[0] ?? 0, exact[1] ?? 0, exact[d - 1] ?? 0])).toBeLessThan(1e-4);
    for (const [i, vector] of found.vectors.entries()) {
      const product = H.mmul(Matrix.columnVector(Array.from(vector))).to1DArray();
      const value = found.values[i] ?? 0;
      expect(
        relativeError(
          product,
          Array.from(vector, (entry) => value * entry),
        ),
      ).toBeLessThan(2e-4);
    }
    // At most d span the space; measured residuals, and the search for copies of an eigenvalue, take as many again.
    expect(found.products).toBeLessThanOrEqual(2 * d);
    await hessian.release();
  });
});

it("copies θ, and frees itself at the end of a scope", async () => {
  const given = options(Float64Array);
  const hessian = await hessianOf(given);
  const before = await hessian.gradient();
  given.theta.fill(0);
  expect(await hessian.gradient()).toEqual(before);
  await hessian[Symbol.asyncDispose]();
});

it("says what is wrong with batches and functions", async () => {
  await expect(hessianOf({ f: (t) => t, theta: Float64Array.of(1), batches: [] })).rejects.toThrow("there is no batch");
  const vector = await hessianOf({ f: (t) => t, theta: Float64Array.of(1, 2), batches: [{}] });
  await expect(vector.apply(Float64Array.of(1, 1))).rejects.toThrow("expected one floating-point number");
});

it("gives the density of a diagonal matrix: Gaussians at its eigenvalues", async () => {
  const eigenvalues = [4, 1, 0.5, -1];
  const operator: SymmetricOperator = {
    dim: 4,
    dtype: "f64",
    apply: async (v) => Float64Array.from(v, (value, i) => value * (eigenvalues[i] ?? 0)),
  };
  // A probe of signs weighs the eigenvalues of a diagonal matrix equally.
  const { grid, density, sigma } = await spectralDensity(operator, { probes: 3, steps: 4, seed: 1 });
  const gaussian = (z: number) => Math.exp(-(z ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI));
  const byFormula = grid.map((at) => eigenvalues.reduce((sum, value) => sum + gaussian((at - value) / sigma) / 4, 0));
  expect(relativeError(density, byFormula)).toBeLessThan(1e-9);
});
