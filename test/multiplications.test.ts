import { expect, it } from "vitest";
import { grad } from "../src/graph/grad.ts";
import { multiplicationsOf } from "../src/graph/multiplications.ts";
import { conv2d } from "../src/graph/ops/conv.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { mul, tanh } from "../src/graph/ops/elementwise.ts";
import { input } from "../src/graph/ops/source.ts";

const squares = (y: Parameters<typeof mul>[0]) => sum(mul(y, y));

it("counts products by rows, columns and inner size, whatever is transposed, and equal ones once", () => {
  const [a, b] = [input("a", [7, 2, 3]), input("b", [5, 3])];
  const y = matmul(a, b, { transB: true });
  expect(multiplicationsOf([y, matmul(a, b, { transB: true }), tanh(y)])).toBe(7 * 2 * 5 * 3);
});

it("counts a convolution as taps × pixels × pairs of channels, and each of its two derivatives as much", () => {
  const [x, w] = [input("x", [8, 6, 2, 3]), input("w", [3, 3, 3, 5])];
  const y = conv2d(x, w, { stride: 2, padding: 1 });
  const one = 4 * 3 * 9 * 2 * 3 * 5;
  expect(multiplicationsOf([y])).toBe(one);
  expect(multiplicationsOf([grad(squares(y), w)])).toBe(2 * one);
  expect(multiplicationsOf([grad(squares(y), w), grad(squares(y), x)])).toBe(3 * one);
});
