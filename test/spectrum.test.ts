import { describe, expect, it } from "vitest";
import { extremeEigenpairs, outerPairs, relativeTo, roundingOf, settledAt } from "../src/spectrum/extremes.ts";
import { combine, type Krylov, lanczos, ritz } from "../src/spectrum/lanczos.ts";
import type { SymmetricOperator } from "../src/spectrum/operator.ts";
import { largestEigenvalue, powerMethod } from "../src/spectrum/power.ts";
import { rayleighRitz } from "../src/spectrum/rayleigh-ritz.ts";
import { tridiagonalEigen } from "../src/spectrum/tridiagonal.ts";
import { gaussian, inner, length, normalized, type Vector } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { operatorOf } from "./support/curvature.ts";
import { chain, diagonal, digits } from "./support/matrices.ts";
import { relativeError } from "./support/numbers.ts";
import { DENSE, F64 } from "./tolerances.ts";

const random = (label: string) => rng(1, "curvature", label);

describe("Lanczos", () => {
  it("finds every copy of a multiple eigenvalue when it may use the whole dimension", async () => {
    const values = [5, 5, 5, 1, 0, 0, -2, -2];
    const found = await extremeEigenpairs(diagonal(values), {
      top: 4,
      bottom: 2,
      tolerance: 1e-12,
      maxProducts: values.length,
      random: random("multiple"),
    });
    const eigenvalues = [...found.top, ...found.bottom].map(({ eigenvalue }) => eigenvalue);
    expect(relativeError(eigenvalues, [5, 5, 5, 1, -2, -2])).toBeLessThan(DENSE);
  });

  it("says so where it has not converged", async () => {
    const values = Array.from({ length: 60 }, (_, i) => i);
    const options = { top: 2, bottom: 0, tolerance: 1e-8, maxProducts: 6, random: random("short") };
    expect((await extremeEigenpairs(diagonal(values), options)).converged).toBe(false);
  });

  it("refuses more eigenvalues than there are, naming both numbers", async () => {
    const options = { top: 4, bottom: 3, tolerance: 1e-3, maxProducts: 50, random: random("many") };
    await expect(extremeEigenpairs(diagonal([1, 2, 3, 4, 5]), options)).rejects.toThrow(
      /4 largest and 3 smallest.*has 5/,
    );
  });

  it("refuses a product that is not finite, with a hint", async () => {
    const H: SymmetricOperator = { dim: 3, dtype: "f64", apply: async (v) => v.map(() => Number.NaN) as Vector };
    const options = { top: 1, bottom: 0, tolerance: 1e-3, maxProducts: 3, random: random("nan") };
    await expect(extremeEigenpairs(H, options)).rejects.toThrow(/vector 1 of the Krylov space is not finite.*f64/s);
  });

  it("is content with rounding where an eigenvalue is zero", async () => {
    const values = Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : i));
    const options = { top: 0, bottom: 1, tolerance: 1e-3, maxProducts: 39, random: random("semidefinite") };
    const { bottom, converged } = await extremeEigenpairs(diagonal(values), options);
    expect(Math.abs(bottom[0]!.eigenvalue)).toBeLessThan(1e-9);
    expect(converged).toBe(true);
  });

  it("takes a zero matrix as it is", async () => {
    const options = { top: 1, bottom: 1, tolerance: 1e-3, maxProducts: 4, random: random("zero") };
    const { top, bottom } = await extremeEigenpairs(diagonal([0, 0, 0, 0]), options);
    expect([top[0]!.eigenvalue, bottom[0]!.eigenvalue]).toEqual([0, 0]);
  });

  it("makes T = QᵀHQ with orthonormal Q, and knows the norm of what H adds to the space", async () => {
    const [n, steps] = [7, 4];
    const H = operatorOf(chain(n));
    const start = gaussian(n, "f64", random("start"));
    const sizes: number[] = [];
    const enough = ({ basis, alpha, beta }: Krylov) => {
      sizes.push(basis.length);
      expect([alpha.length, beta.length]).toEqual([basis.length, basis.length]);
      return false;
    };
    const krylov = await lanczos(H, { start, steps, random: random("fresh"), enough });
    expect(sizes).toEqual([1, 2, 3, 4]);
    const images = await Promise.all(krylov.basis.map((q) => H.apply(q)));
    for (const [i, q] of krylov.basis.entries())
      for (const [j, p] of krylov.basis.entries()) {
        const entry = i === j ? krylov.alpha[i]! : Math.abs(i - j) === 1 ? krylov.beta[Math.min(i, j)]! : 0;
        expect(inner(q, images[j]!)).toBeCloseTo(entry, 12);
        expect(inner(q, p)).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    expect(relativeError(krylov.basis[0]!, normalized(start))).toBeLessThan(F64);
    const rest = images[3]!.map(
      (x, at) => x - krylov.alpha[3]! * krylov.basis[3]![at]! - krylov.beta[2]! * krylov.basis[2]![at]!,
    );
    expect(krylov.beta[3]).toBeCloseTo(length(rest as Vector), 12);
  });

  it("knows how far a Ritz value is from an eigenvalue: the residual of its vector", async () => {
    const H = operatorOf(chain(9));
    const krylov = await lanczos(H, { start: gaussian(9, "f64", random("ritz")), steps: 4, random: random("ritz") });
    const { values, vectors, bounds } = ritz(krylov);
    for (const [i, s] of vectors.entries()) {
      const v = combine([...krylov.basis, Float64Array.of(...Array(9).fill(1))], s);
      const error = (await H.apply(v)).map((x, at) => x - values[i]! * v[at]!) as Vector;
      expect(length(error)).toBeCloseTo(bounds[i]!, 12);
      expect(length(v)).toBeCloseTo(1, 12);
    }
  });

  it("stops when told, at its steps, and at the dimension", async () => {
    const run = async (steps: number, more: object = {}) => {
      const options = { start: Float64Array.of(1, 2, 3, 4), steps, random: random("stop"), ...more };
      return (await lanczos(operatorOf(chain(4)), options)).basis.length;
    };
    expect(await run(3)).toBe(3);
    expect(await run(9)).toBe(4);
    expect(await run(9, { enough: ({ basis }: Krylov) => basis.length === 2 })).toBe(2);
    const against = [Float64Array.of(1, 0, 0, 0)];
    expect(await run(9, { against })).toBe(3);
  });

  it("goes on in a new direction where the space is exhausted", async () => {
    // The start has no part along the last axis, and two eigenvalues.
    const start = Float64Array.of(1, 1, 1, 0);
    const { basis, alpha, beta } = await lanczos(diagonal([3, 3, 1, -2]), { start, steps: 4, random: random("new") });
    expect(beta.map((b) => b === 0)).toEqual([false, true, false, true]);
    expect(digits(tridiagonalEigen(alpha, beta).values)).toEqual([-2, 1, 3, 3]);
    for (const [i, q] of basis.entries())
      for (const [j, p] of basis.entries()) expect(inner(q, p)).toBeCloseTo(i === j ? 1 : 0, 12);
  });

  it("stays orthogonal to the vectors that it is kept from, where it begins anew as well", async () => {
    const against = [Float64Array.of(1, 0, 0, 0)];
    const options = { start: Float64Array.of(5, 1, 0, 0), steps: 9, random: random("against"), against };
    const { basis, alpha, beta } = await lanczos(diagonal([9, 3, 1, -2]), options);
    for (const q of basis) expect(inner(q, against[0]!)).toBeCloseTo(0, 12);
    expect(digits(tridiagonalEigen(alpha, beta).values)).toEqual([-2, 1, 3]);
  });

  it("takes as many products as are wanted, twice over, where the start tells everything at once", async () => {
    const start = Float64Array.of(0, 1, 0, 0, 0, 0);
    const seen: number[] = [];
    const options = { top: 1, bottom: 1, tolerance: 1e-9, maxProducts: 6, random: random("twice") };
    const found = await extremeEigenpairs(diagonal([1, 2, 3, 4, 5, 6]), {
      ...options,
      start,
      onProduct: (done, { alpha }) => {
        seen.push(done);
        expect(alpha).toHaveLength(done);
      },
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(found.products).toBe(6);
    expect(digits([...found.top, ...found.bottom].map(({ eigenvalue }) => eigenvalue))).toEqual([6, 1]);
    const two = await extremeEigenpairs(diagonal([4, 1]), {
      ...options,
      top: 2,
      bottom: 0,
      maxProducts: 2,
      start: Float64Array.of(1, 0),
    });
    expect(two).toMatchObject({ products: 2, converged: true });
    expect(digits(two.top.map(({ eigenvalue }) => eigenvalue))).toEqual([4, 1]);
    // In the product with 2 itself nothing remains, but four are wanted before it may stop.
    const early = await extremeEigenpairs(diagonal([1, 2, 2, 2, 2, 2]), {
      ...options,
      tolerance: 0.5,
    });
    expect(early.products).toBe(4);
    await expect(extremeEigenpairs(diagonal([1, 2]), { ...options, maxProducts: 1 })).rejects.toThrow(
      "1 products do not give 2 eigenvalues",
    );
  });

  it("gives the outer pairs that a small space has, the largest before the smallest", async () => {
    const H = diagonal([4, 3, 2, 1]);
    const krylov = await lanczos(H, { start: Float64Array.of(1, 1, 1, 1), steps: 4, random: random("small") });
    const valuesOf = (top: number, bottom: number) => {
      const found = outerPairs(krylov, top, bottom);
      return [found.top, found.bottom].map((pairs) => digits(pairs.map(({ eigenvalue }) => eigenvalue)));
    };
    expect(valuesOf(1, 2)).toEqual([[4], [1, 2]]);
    expect(valuesOf(3, 3)).toEqual([[4, 3, 2], [1]]);
    expect(valuesOf(9, 3)).toEqual([[4, 3, 2, 1], []]);
    const { vector } = outerPairs(krylov, 1, 0).top[0]!;
    expect(digits(vector.map(Math.abs))).toEqual([1, 0, 0, 0]);
  });

  it("leaves an eigenvalue at the tolerance, or at rounding, relative to its size", () => {
    const settled = settledAt(0.25, 0.5);
    expect([settled(-4, 1), settled(-4, 1.01), settled(0, 0.5), settled(0, 0.51)]).toEqual([true, false, true, false]);
    expect([roundingOf("f32", 2), roundingOf("f64", 2)]).toEqual([2e-5, 2e-12]);
    expect([relativeTo(-4, 1), relativeTo(0, 0), relativeTo(0, 1)]).toEqual([0.25, 0, Number.POSITIVE_INFINITY]);
  });
});

describe("the power iteration", () => {
  it("goes to the largest absolute value, and the shifted one to the largest signed value", async () => {
    const matrix = operatorOf([
      [1, 0, 0],
      [0, -7, 0],
      [0, 0, 4],
    ]);
    const options = { start: Float64Array.of(1, 1, 1), tolerance: 1e-9, maxProducts: 1000 };
    expect((await powerMethod(matrix, options)).eigenvalue).toBeCloseTo(-7, 6);
    expect((await largestEigenvalue(matrix, options)).eigenvalue).toBeCloseTo(4, 6);
  });

  it("goes on until the residual is small against λ₁ itself, however large the negative one", async () => {
    const matrix = operatorOf([
      [1, 0, 0],
      [0, -1000, 0],
      [0, 0, 0.5],
    ]);
    const options = { start: Float64Array.of(1, 1, 1), tolerance: 1e-3, maxProducts: 100_000 };
    const top = await largestEigenvalue(matrix, options);
    expect(top.converged).toBe(true);
    expect(Math.abs(top.eigenvalue - 1)).toBeLessThan(1e-3);
    const few = await largestEigenvalue(matrix, { ...options, maxProducts: 30 });
    expect(few).toMatchObject({ converged: false, products: 30 });
  });

  it("gives the Rayleigh quotient of each vector, and the residual of it", async () => {
    const options = { start: Float64Array.of(3, 3), tolerance: 0.3, maxProducts: 1 };
    const first = await powerMethod(diagonal([2, 1]), options);
    expect(first).toMatchObject({ products: 1, converged: false });
    expect(first.eigenvalue).toBeCloseTo(1.5, 12);
    expect(first.residual).toBeCloseTo(1 / 3, 12);
    expect(digits(first.vector)).toEqual(digits([Math.SQRT1_2, Math.SQRT1_2]));
    // (2, 1)/√5 next: λ = 9/5 and ‖Hv − λv‖ = 2/5.
    const second = await powerMethod(diagonal([2, 1]), { ...options, maxProducts: 9 });
    expect(second).toMatchObject({ products: 2, converged: true });
    expect(second.eigenvalue).toBeCloseTo(1.8, 12);
    expect(second.residual).toBeCloseTo(2 / 9, 12);
    // Of H + I: (3, 2)/√13 is next, and λ is still H's.
    const shifted = await powerMethod(diagonal([2, 1]), { ...options, tolerance: 0, maxProducts: 2 }, 1);
    expect(shifted.eigenvalue).toBeCloseTo(22 / 13, 12);
  });

  it("knows an eigenvector at once, of a zero matrix too, and spends no product beyond", async () => {
    const options = { start: Float64Array.of(1, 0), tolerance: 0, maxProducts: 5 };
    expect(await largestEigenvalue(diagonal([2, 1]), options)).toMatchObject({
      residual: 0,
      products: 1,
      converged: true,
    });
    expect(await largestEigenvalue(diagonal([0, 0]), options)).toMatchObject({
      residual: 0,
      products: 1,
      converged: true,
    });
    const negative = diagonal([-2, 1]);
    expect(await largestEigenvalue(negative, { ...options, maxProducts: 1 })).toMatchObject({
      eigenvalue: -2,
      products: 1,
    });
    const both = await largestEigenvalue(negative, {
      ...options,
      start: Float64Array.of(1, 1),
      maxProducts: 3,
      tolerance: 0.9,
    });
    expect(both.products).toBeLessThanOrEqual(3);
  });
});

describe("the best pairs of a span", () => {
  it("are its own eigenpairs, in order, with measured residuals", async () => {
    const values = [5, 3, 1, -2];
    const unit = (i: number) => Float64Array.from(values, (_, j) => (i === j ? 1 : 0));
    const turned = (i: number, j: number, angle: number) =>
      unit(i).map((x, at) => Math.cos(angle) * x + Math.sin(angle) * unit(j)[at]!);
    const pairOf = (vector: Vector) => ({ eigenvalue: 0, residual: 1, vector });
    const given = {
      top: [pairOf(turned(1, 0, 0.3)), pairOf(turned(0, 1, -0.3))],
      bottom: [pairOf(turned(3, 2, 0.2))],
    };
    const { top, bottom } = await rayleighRitz(diagonal(values), given);
    expect(digits(top.map(({ eigenvalue }) => eigenvalue))).toEqual([5, 3]);
    expect(digits(top.map(({ residual }) => residual))).toEqual([0, 0]);
    expect(digits(top[0]!.vector.map(Math.abs))).toEqual([1, 0, 0, 0]);
    // λ = −2 cos² φ + sin² φ, and ‖Hv − λv‖ = 3 sin φ cos φ.
    const lambda = -2 * Math.cos(0.2) ** 2 + Math.sin(0.2) ** 2;
    expect(bottom[0]!.eigenvalue).toBeCloseTo(lambda, 12);
    expect(bottom[0]!.residual).toBeCloseTo((3 * Math.sin(0.2) * Math.cos(0.2)) / -lambda, 12);
    expect(await rayleighRitz(diagonal(values), { top: [], bottom: [] })).toEqual({ top: [], bottom: [] });
  });

  it("are of the symmetric part, where rounding leaves another", async () => {
    const askew = operatorOf([
      [1, 4],
      [0, 1],
    ]);
    const pairOf = (...x: number[]) => ({ eigenvalue: 0, residual: 1, vector: Float64Array.from(x) });
    const { top } = await rayleighRitz(askew, { top: [pairOf(1, 0), pairOf(0, 1)], bottom: [] });
    expect(digits(top.map(({ eigenvalue }) => eigenvalue))).toEqual([3, -1]);
  });
});
