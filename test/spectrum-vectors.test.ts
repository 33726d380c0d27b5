import { describe, expect, it } from "vitest";
import { alignment, subspaceAlignment } from "../src/spectrum/alignment.ts";
import { blockOf, gathered, type SymmetricOperator } from "../src/spectrum/operator.ts";
import { symmetricEigen, tridiagonalEigen } from "../src/spectrum/tridiagonal.ts";
import { gaussian, inner, length, normalized, rademacher, type Vector, warmStart } from "../src/spectrum/vectors.ts";
import { rng } from "../src/util/rng.ts";
import { operatorOf } from "./support/curvature.ts";
import { chain, digits } from "./support/matrices.ts";

const random = (label: string) => rng(1, "curvature", label);
const chainValue = (k: number, n: number) => 2 - 2 * Math.cos((k * Math.PI) / (n + 1));

describe("vectors", () => {
  it("are random in the format asked for", () => {
    const normal = gaussian(20_000, "f64", random("normal"));
    expect(
      inner(
        normal,
        normal.map(() => 1),
      ) / 20_000,
    ).toBeCloseTo(0, 1);
    expect(inner(normal, normal) / 20_000).toBeCloseTo(1, 1);
    expect(gaussian(2, "f32", random("normal"))).toEqual(Float32Array.from(normal.subarray(0, 2)));
    const numbers = [0, 0.49, 0.5, 0.99];
    const fixed = { uniform: () => numbers.shift()!, normal: () => 0 };
    expect(rademacher(4, "f32", fixed)).toEqual(Float32Array.of(-1, -1, 1, 1));
    expect(rademacher(1, "f64", random("sign"))).toBeInstanceOf(Float64Array);
  });

  it("have a direction, unless they are zero", () => {
    expect(digits(normalized(Float64Array.of(3, 0, -4)))).toEqual([0.6, 0, -0.8]);
    expect(normalized(Float32Array.of(0, 0))).toEqual(Float32Array.of(0, 0));
  });

  it.each([Float32Array, Float64Array])(
    "start anew beside the last ones, a third of their length off: %o",
    (format) => {
      const last = format.of(30, 40);
      const start = warmStart(last, random("warm"));
      expect(start).toBeInstanceOf(format);
      const off = start.map((x, i) => x - last[i]! / 50) as Vector;
      expect(length(off)).toBeCloseTo(1 / 3, 6);
      expect([...last]).toEqual([30, 40]);
    },
  );
});

describe("small matrices", () => {
  it("have their eigenpairs, smallest first", () => {
    const { values, vectors } = tridiagonalEigen([2, 2, 2, 2], [-1, -1, -1, 9]);
    expect(digits(values)).toEqual(digits([1, 2, 3, 4].map((k) => chainValue(k, 4))));
    for (const [k, v] of vectors.entries())
      expect(digits(chain(4).map((row) => row.reduce((sum, x, j) => sum + x * v[j]!, 0)))).toEqual(
        digits(v.map((x) => values[k]! * x)),
      );
    const swapped = symmetricEigen([
      [3, 0],
      [0, -1],
    ]);
    expect(swapped.values).toEqual([-1, 3]);
    expect(swapped.vectors.map((v) => v.map(Math.abs))).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});

describe("an operator", () => {
  const six = () => Array.from({ length: 6 }, (_, i) => Float64Array.of(i, 0, 0));

  it("makes products asked for together in fewer passes, what is left one by one, and in order", async () => {
    const calls: number[] = [];
    const double = async (vectors: readonly Vector[]) => {
      calls.push(vectors.length);
      return vectors.map((v) => v.map((x) => 2 * x) as Vector);
    };
    const operator = gathered(3, "f64", double, 4);
    const results = await Promise.all(six().map((v) => operator.apply(v)));
    expect(calls).toEqual([4, 1, 1]);
    expect(results.map((r) => r[0])).toEqual([0, 2, 4, 6, 8, 10]);
  });

  it("begins no further pass once it is stopped, and keeps what is done", async () => {
    const stop = new AbortController();
    const calls: number[] = [];
    const operator = gathered(
      3,
      "f64",
      async (vectors) => {
        calls.push(vectors.length);
        stop.abort(new Error("enough"));
        return vectors;
      },
      4,
      stop.signal,
    );
    const outcomes = await Promise.allSettled(six().map((v) => operator.apply(v)));
    expect(calls).toEqual([4]);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill("fulfilled"), "rejected", "rejected"]);
    await expect(operator.apply(six()[0]!)).rejects.toThrow("enough");
  });

  it("hands a failed product to everyone who waits for one", async () => {
    const fail = async () => {
      throw new Error("no product");
    };
    const operator = gathered(3, "f64", fail, 4);
    const outcomes = await Promise.allSettled(six().map((v) => operator.apply(v)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill("rejected"));
  });

  it("waits for the next after one that failed", async () => {
    const broken = [true, false];
    const operator = gathered(
      1,
      "f32",
      async (vectors) => {
        if (broken.shift()) throw new Error("once");
        return vectors;
      },
      2,
    );
    await expect(operator.apply(Float32Array.of(1))).rejects.toThrow("once");
    expect(await operator.apply(Float32Array.of(2))).toEqual(Float32Array.of(2));
    expect(operator).toMatchObject({ dim: 1, dtype: "f32" });
  });

  it("takes up what is asked for while it works, all together", async () => {
    const calls: number[] = [];
    const operator: SymmetricOperator = gathered(
      1,
      "f64",
      async (vectors) => {
        calls.push(vectors.length);
        if (calls.length === 1) later.push(...[1, 2].map((x) => operator.apply(Float64Array.of(x))));
        return vectors;
      },
      2,
    );
    const later: Promise<Vector>[] = [];
    await operator.apply(Float64Array.of(0));
    expect((await Promise.all(later)).map(([x]) => x)).toEqual([1, 2]);
    expect(calls).toEqual([1, 2]);
  });

  it.each([
    ["f64", Float64Array],
    ["f32", Float32Array],
  ] as const)("has diagonal blocks, in %s", async (dtype, format) => {
    const whole: SymmetricOperator = {
      ...operatorOf(chain(5)),
      dtype,
      apply: async (v) => {
        expect(v).toBeInstanceOf(format);
        return format.from(chain(5).map((row) => inner(v, Float64Array.from(row))));
      },
    };
    const block = blockOf(whole, 1, 4);
    expect([block.dim, block.dtype]).toEqual([3, dtype]);
    expect(await block.apply(format.of(1, 2, 4))).toEqual(format.of(0, -1, 6));
  });
});

describe("alignment", () => {
  it("is cos² with a subspace, from 0 to 1", () => {
    const [e0, e1] = [Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)];
    expect(subspaceAlignment(Float64Array.of(3, 4, 0), [e0, e1])).toBeCloseTo(1, 12);
    expect(subspaceAlignment(Float64Array.of(3, 0, 4), [e0, e1])).toBeCloseTo(9 / 25, 12);
    expect(alignment(Float64Array.of(3, 0, 4), e0)).toBeCloseTo(3 / 5, 12);
    expect(alignment(Float64Array.of(-3, 0, 4), Float64Array.of(2, 0, 0))).toBeCloseTo(3 / 5, 12);
    expect(alignment(new Float64Array(3), e0)).toBe(0);
    expect(subspaceAlignment(new Float64Array(3), [e0])).toBe(0);
  });
});
