import { describe, expect, it } from "vitest";
import { topEigenvalue } from "../src/experiments/sde/measure.ts";
import type { TypedArray } from "../src/runtime/session.ts";
import { normOf } from "./support/numbers.ts";

/** compilePower's promise, for a diagonal H: five steps with H + shift·I. */
const powerOn = (diagonal: readonly number[]) => ({
  run: async ({ v, shift }: Readonly<Record<string, TypedArray>>) => {
    let x = Float64Array.from(v!);
    let [eigenvalue, error] = [0, 0];
    for (let i = 0; i < 5; i++) {
      const Hx = x.map((value, j) => diagonal[j]! * value);
      eigenvalue = x.reduce((s, value, j) => s + value * Hx[j]!, 0);
      error = normOf(Hx.map((value, j) => value - eigenvalue * x[j]!));
      const next = Hx.map((value, j) => value + shift![0]! * x[j]!);
      x = next.map((value) => value / normOf(next));
    }
    return { nextV: x, eigenvalue: Float64Array.of(eigenvalue), error: Float64Array.of(error) };
  },
});

const measured = (diagonal: readonly number[], v: readonly number[]) => {
  const x = Float64Array.from(v, (value) => value / normOf(v));
  const inputs = { theta: x, v: x, x, y: new Int32Array(1) };
  return topEigenvalue(powerOn(diagonal), inputs);
};

describe("the measured λ₁", () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ["is the largest eigenvalue", [3, 1, -0.5, 0], [1, 1, 1, 1]],
    ["is the largest also where a negative one is larger in size", [3, 1, -8, 0], [1, 1, 1, 1]],
    ["is found beside a negative one of nearly its size", [3, 1, -3.001, 0], [1, 1, 1, 1]],
    ["is found from the eigenvector of the negative one, as good as", [3, 1, -8, 0], [1e-3, 1e-3, 1, 1e-3]],
  ])("%s", async (_, diagonal, start) => {
    const { eigenvalue, residual } = await measured(diagonal, start);
    expect(eigenvalue).toBeCloseTo(3, 2);
    expect(residual).toBeLessThan(0.03);
  });

  it("may be negative, where all are", async () => {
    const { eigenvalue, residual } = await measured([-1, -2, -9], [1, 1, 1]);
    expect(eigenvalue).toBeCloseTo(-1, 1);
    expect(residual).toBeLessThan(0.03);
  });
});
