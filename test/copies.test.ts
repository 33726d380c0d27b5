import { describe, expect, it } from "vitest";
import { eigenpairs } from "../src/api/curvature.ts";
import { mlp } from "../src/models/mlp.ts";
import { declare } from "../src/nn/scope.ts";
import { furtherCopies } from "../src/spectrum/copies.ts";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import type { SymmetricOperator } from "../src/spectrum/operator.ts";
import { inner, length, type Vector } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { denseNumbers, denseOf, lossOf } from "./support/curvature.ts";
import { diagonal } from "./support/matrices.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { DENSE } from "./tolerances.ts";

/** QDQ with a dense reflection Q = I − 2nnᵀ/nᵀn and the eigenvalues D, which counts its products. */
function planted(values: readonly number[], dtype: "f64" | "f32" = "f64") {
  const spectrum = Float64Array.from(values);
  const normal = Float64Array.from(fill(3, values.length));
  const reflect = (x: ArrayLike<number>) => {
    const along = (2 * inner(normal, Float64Array.from(x))) / inner(normal, normal);
    return Float64Array.from(x, (value, i) => value - along * normal[i]!);
  };
  let products = 0;
  const operator: SymmetricOperator = {
    dim: values.length,
    dtype,
    apply: async (v) => {
      products++;
      const image = reflect(reflect(v).map((x, i) => x * spectrum[i]!));
      return dtype === "f64" ? image : Float32Array.from(image);
    },
  };
  return { operator, products: () => products };
}

const bulk = (n: number) => Array.from({ length: n }, (_, i) => (2 * i) / (n - 1) - 1);

describe("copies of a multiple eigenvalue", () => {
  const many: [string, number[], number, number][] = [
    ["three of the largest", [9, 9, 9, 4, ...bulk(300)], 4, 0],
    ["five of the largest, more than are wanted", [9, 9, 9, 9, 9, 4, ...bulk(300)], 3, 0],
    ["two pairs, and a pair at the other end", [9, 9, 7, 7, -5, -5, ...bulk(300)], 4, 2],
    ["a pair beside a single one at the other end", [9, 9, -5, -4, -3, ...bulk(300)], 2, 2],
    ["only inner ones", [9, 8, 7, 7, 7, ...bulk(300)], 4, 0],
    ["none", [9, 8, 7, 6, 5, ...bulk(300)], 4, 0],
    ["of a tiny part of a large space", [3, 3, 2.5, ...bulk(4000)], 3, 0],
  ];
  it.each(many)("%s are found, with vectors and measured residuals", async (_, values, top, bottom) => {
    const { operator, products } = planted(values);
    const found = await eigenpairs(operator, { top, bottom, tolerance: 1e-6 });
    const sorted = values.toSorted((a, b) => b - a);
    const expected = [...sorted.slice(0, top), ...sorted.toReversed().slice(0, bottom)];
    expect(relativeError(found.values, expected)).toBeLessThan(DENSE);
    expect(found.converged).toBe(true);
    expect(found.products).toBe(products());
    for (const [i, v] of found.vectors.entries()) {
      const error = (await operator.apply(v)).map((x, at) => x - found.values[i]! * v[at]!) as Vector;
      expect(length(error) / Math.abs(found.values[i]!)).toBeCloseTo(found.residuals[i]!, 10);
      for (const [j, w] of found.vectors.entries()) expect(inner(v, w)).toBeCloseTo(i === j ? 1 : 0, 10);
    }
  });

  it("are missed by one Krylov space, and found in float32, too", async () => {
    const values = [9, 9, 9, 4, ...bulk(300)];
    const alone = await eigenpairs(planted(values).operator, { top: 2, copies: false });
    expect(relativeError(alone.values, [9, 4])).toBeLessThan(DENSE);
    const found = await eigenpairs(planted(values, "f32").operator, { top: 3 });
    expect(relativeError(found.values, [9, 9, 9])).toBeLessThan(1e-5);
  });

  it("are not searched for where one eigenvalue of an end is wanted", async () => {
    const { operator, products } = planted([9, 9, -4, -4, ...bulk(50)]);
    const { values } = await eigenpairs(operator, { top: 1, bottom: 1 });
    const searched = products();
    expect(relativeError(values, [9, -4])).toBeLessThan(DENSE);
    await eigenpairs(operator, { top: 1, bottom: 1, copies: false });
    expect(products()).toBe(2 * searched);
  });

  /** What a search makes of diag(9, 9, other, 1), or its negative, where the first two unit vectors are known. */
  async function searchBeside(sign: 1 | -1, other: number) {
    const pairs = [0, 1].map((at) => ({
      eigenvalue: sign * 9,
      residual: 0,
      vector: Float64Array.from({ length: 4 }, (_, i) => Number(i === at)),
    }));
    const found = await furtherCopies(
      diagonal([9, 9, other, 1].map((value) => sign * value)),
      sign === 1 ? { top: pairs, bottom: [] } : { top: [], bottom: pairs },
      { tolerance: 1e-3, maxProducts: 10, random: rng(1, "copies") },
    );
    return { ...found, values: (sign === 1 ? found.top : found.bottom).map(({ eigenvalue }) => sign * eigenvalue) };
  }

  describe.each([
    ["largest", 1],
    ["smallest", -1],
  ] as const)("of the %s", (_, sign) => {
    it.each([9 * (1 - 5e-4), 9, 9 * (1 + 5e-4)])(
      "are the same within the tolerance: beside 9 and 9, %d ends the search",
      async (other) => {
        // Two products show both values that remain; a value that counts as found would cost a third one, for the last that remains.
        const { values, products, complete } = await searchBeside(sign, other);
        expect({ values, products, complete }).toEqual({ values: [9, 9], products: 2, complete: true });
      },
    );

    it("give way to a value that is farther out than the tolerance", async () => {
      const { values, products, complete } = await searchBeside(sign, 9 * (1 + 2e-3));
      expect(relativeError(values, [9 * (1 + 2e-3), 9])).toBeLessThan(DENSE);
      expect({ products, complete }).toEqual({ products: 3, complete: true });
    });
  });

  it("leave it open where the products do not suffice", async () => {
    const { operator } = planted([9, 9, 4, ...bulk(300)]);
    const first = await extremeEigenpairs(operator, {
      ...{ top: 2, bottom: 0, tolerance: 1e-6, maxProducts: 60 },
      random: rng(1, "first"),
    });
    const search = (maxProducts: number) =>
      furtherCopies(operator, first, { tolerance: 1e-6, maxProducts, random: rng(1, "copies") });
    expect(await search(3)).toMatchObject({ complete: false, products: 3 });
    const whole = await search(80);
    expect(whole.complete).toBe(true);
    expect(whole.top[1]!.eigenvalue).toBeCloseTo(9, 8);
  });

  it("cost a search about as much as it takes to see that nothing is there", async () => {
    const { operator } = planted([9, 8, 7, 6, 5, ...bulk(4000)]);
    const first = await extremeEigenpairs(operator, {
      ...{ top: 4, bottom: 0, tolerance: 1e-3, maxProducts: 100 },
      random: rng(1, "first"),
    });
    const { complete, products, top } = await furtherCopies(operator, first, {
      ...{ tolerance: 1e-3, maxProducts: 100 },
      random: rng(1, "copies"),
    });
    expect({ complete, top: top.map(({ eigenvalue }) => Math.round(eigenvalue)) }).toEqual({
      complete: true,
      top: [9, 8, 7, 6],
    });
    expect(products).toBeLessThan(first.products);
  });
});

describe("a network whose classes are interchangeable", () => {
  it("has every copy of its largest eigenvalue, as its dense Hessian says", async () => {
    // Each image is there once with every label, and the output's weights are 0: permuting the classes changes nothing.
    const [classes, images] = [4, 6];
    const network = mlp({ classes, hidden: [3], activation: "tanh" });
    const one = Float32Array.from(fill(5, images * 5));
    const x = Float32Array.from({ length: classes * one.length }, (_, i) => one[i % one.length]!);
    const y = Int32Array.from({ length: classes * images }, (_, i) => Math.floor(i / images));
    const rows = classes * images;
    const loss = lossOf({ network, inputShape: [1, 1, 5], classes, batches: [{ x, y, rows }] });
    const { parameters } = declare(network, [rows, 1, 1, 5]);
    const theta = Float64Array.from(fill(8, parameters.size));
    for (const { name, offset, size } of parameters.entries)
      if (name.startsWith("layers.1")) theta.fill(0, offset, offset + size);
    const H = loss.hessian(theta);
    const dense = denseNumbers(await denseOf(H));
    // Three copies, one for each dimension of differences between four classes.
    const [a, b, c, d] = dense.eigenvalues as [number, number, number, number];
    expect(relativeError([b, c], [a, a])).toBeLessThan(1e-10);
    expect(d).toBeLessThan(0.9 * a);
    const found = await eigenpairs(H, { top: 4, maxProducts: 20 });
    expect(relativeError(found.values, dense.eigenvalues.slice(0, 4))).toBeLessThan(DENSE);
    const alone = await eigenpairs(H, { top: 2, maxProducts: 5, copies: false });
    expect(alone.values[1]).toBeLessThan(0.9 * a);
  });
});
