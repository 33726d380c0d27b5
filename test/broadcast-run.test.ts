import { describe, expect, it } from "vitest";
import { add, maximum, mul, sub } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { input } from "../src/graph/ops/source.ts";
import { compile } from "../src/runtime/compile.ts";
import type { Shape } from "../src/util/shape.ts";
import { relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { runOn } from "./support/run.ts";
import { F32 } from "./tolerances.ts";

/** Shapes whose results are large enough to have their short operands repeated, and others that must be left alone. */
const pairs: readonly (readonly [Shape, Shape, repeated: boolean])[] = [
  [[5, 7, 30, 64], [64], true],
  [[5, 7, 30, 64], [1, 1, 1, 64], true],
  [[9, 4, 32, 64], [4, 1, 64], true],
  [[65, 16, 65], [65], true],
  [[17, 64, 64], [17, 1, 64], true],
  [[1040, 64], [64], false],
  [[1040, 64], [1040, 1], false],
  [[3, 11, 4, 512], [512], false],
  [[5, 7, 30, 64], [5, 7, 30, 64], false],
  [[5, 7, 30, 64], [1], false],
];

describe("elementwise operations on large operands with short runs", () => {
  it.each(pairs)("%j against %j give what naive loops give", async (big, small, repeated) => {
    const [x, v] = [input("x", big), input("v", small)];
    const outputs = { a: add(x, v), b: sub(v, x), c: maximum(mul(x, v), v) };
    const feeds = { x: vector("x", big), v: vector("v", small) };
    const results = await runOn(outputs, feeds);
    const naive = evaluate(Object.values(outputs), feeds);
    for (const [i, result] of Object.values(results).entries())
      expect(relativeError(result, naive[i]!, 1)).toBeLessThan(F32);

    const { onnx } = await compile(({ x: a, v: b }) => ({ y: add(a, b) }), { x: { shape: big }, v: { shape: small } });
    expect(Buffer.from(onnx).includes("Expand")).toBe(repeated);
  });
});

it.each([
  [
    [16, 8, 8, 5],
    [0, 1, 2],
  ],
  [
    [4, 32, 32, 3],
    [0, 1, 2],
  ],
  [
    [300, 2, 3],
    [0, 1],
  ],
  [[512, 3], [0]],
  [
    [300, 7, 2],
    [0, 1],
  ],
] as const)("sums of %j over %j give what naive loops give", async (shape, axes) => {
  const x = input("x", shape);
  const outputs = { kept: sum(x, axes, true), dropped: sum(x, axes) };
  const feeds = { x: vector("x", shape) };
  const results = await runOn(outputs, feeds);
  for (const [i, naive] of evaluate(Object.values(outputs), feeds).entries())
    expect(relativeError(Object.values(results)[i]!, naive, 1)).toBeLessThan(F32);
});
