import { describe, expect, it } from "vitest";
import { topEigenvalue } from "../src/experiments/sde/measure.ts";
import type { SymmetricOperator } from "../src/spectrum/operator.ts";
import { rng } from "../src/util/rng.ts";

/** The products of a diagonal matrix, counted. */
function diagonal(values: readonly number[]) {
  let products = 0;
  const operator: SymmetricOperator = {
    dim: values.length,
    dtype: "f64",
    apply: async (v) => {
      products++;
      return Float64Array.from(v, (value, i) => values[i]! * value);
    },
  };
  return { operator, products: () => products };
}

/** Few outer eigenvalues, and a bulk around zero, as a Hessian has. */
const spectrum = (outer: readonly number[], bulk = 500) => {
  const random = rng(1, "bulk");
  return [...outer, ...Array.from({ length: bulk }, () => 0.1 * random.normal())];
};

describe("the measured λ₁", () => {
  it.each<[string, readonly number[]]>([
    ["is the largest eigenvalue", [3, 1, -0.5]],
    ["is the largest also where a negative one is larger in size", [3, 1, -8]],
    ["is found beside a negative one of its size", [3, 1, -3.001]],
    ["is found beside others of nearly its size", [3, 2.95, 2.9, 2.8]],
  ])("%s", async (_, outer) => {
    const { operator, products } = diagonal(spectrum(outer));
    for (let draw = 0; draw < 20; draw++) {
      const { eigenvalue, residual } = await topEigenvalue(operator, rng(draw, "random"));
      expect(Math.abs(eigenvalue - 3)).toBeLessThan(1e-4);
      expect(residual).toBeLessThan(0.0006);
    }
    expect(products() / 20).toBeLessThan(30);
  });

  it("may be negative, where all are", async () => {
    const { operator } = diagonal([-1, -2, -9]);
    expect((await topEigenvalue(operator, rng(5, "random"))).eigenvalue).toBeCloseTo(-1, 10);
  });

  it("is not a number where a product overflows", async () => {
    const { operator } = diagonal([1, Number.POSITIVE_INFINITY]);
    expect(await topEigenvalue(operator, rng(6, "random"))).toEqual({ eigenvalue: Number.NaN, residual: Number.NaN });
  });
});
