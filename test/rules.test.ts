import { describe, expect, it } from "vitest";
import { apply, attrsOf } from "../src/graph/op.ts";
import { concat, concatOp, slice, sliceOp, transpose, transposeOp } from "../src/graph/ops/arrange.ts";
import * as el from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { broadcastTo, sum, sumOp } from "../src/graph/ops/reduce.ts";
import { reshape, reshapeOp } from "../src/graph/ops/reshape.ts";
import { constant, constantOp, input, inputOp, uniformValue } from "../src/graph/ops/source.ts";
import { take, takeOp } from "../src/graph/ops/take.ts";
import { simplify } from "../src/graph/simplify.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import type { Shape } from "../src/util/shape.ts";
import { relativeError, vector } from "./support/numbers.ts";
import { evaluate, type Feeds } from "./support/reference.ts";
import { F64 } from "./tolerances.ts";

const { add, sub, mul, div, neg, maximum, minimum } = el;
const shapes: Readonly<Record<string, Shape>> = {
  x: [2, 3],
  y: [2, 3],
  s: [3],
  c: [2, 1],
  t: [2, 1, 3],
  u: [4, 2, 1],
  d: [],
  e: [],
};
const feeds: Feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, vector(name, shape)]));
const [x, y, s, c, t, u, d, e] = Object.entries(shapes).map(([name, shape]) => input(name, shape, "f64")) as [
  ...[Tensor, Tensor, Tensor, Tensor],
  ...[Tensor, Tensor, Tensor, Tensor],
];
const filled = (value: number, ...shape: number[]) => constant(value, shape, "f64");
const listed = (label: string, ...shape: number[]) => constant(vector(label, shape), shape, "f64");
const [matrix, other, square] = [listed("matrix", 4, 2), listed("other", 4, 2), listed("square", 2, 3)];
const [first, second] = [Int32Array.of(2, 0), Int32Array.of(1, 1)];

/** A graph as text; a constant of one number shows it and its shape, and what changes shapes shows how. */
function text(node: Tensor): string {
  const name = attrsOf(inputOp, node)?.name;
  if (name !== undefined) return name;
  const shape = node.shape.length > 0 ? `[${node.shape}]` : "";
  if (attrsOf(constantOp, node)) return `${uniformValue(node) ?? "numbers"}${shape}`;
  const cut = attrsOf(sliceOp, node);
  const how =
    (attrsOf(sumOp, node)?.axes ?? attrsOf(transposeOp, node)?.perm ?? attrsOf(concatOp, node)?.axis)?.toString() ??
    (cut ? `${cut.axis}:${cut.start}-${cut.end}` : attrsOf(takeOp, node)?.axis.toString()) ??
    (["reshape", "broadcastTo"].includes(node.op.name) ? `${node.shape}` : undefined);
  return `${node.op.name}${how === undefined ? "" : `{${how}}`}(${node.inputs.map(text).join(", ")})`;
}

/** The mean over the first axis, as batch norm takes it. */
const centred = sub(x, mul(0.5, sum(x, [0], true)));

const identities: Readonly<Record<string, readonly (readonly [Tensor, string])[]>> = {
  "operations on single numbers are done at once": [
    [add(filled(2), filled(3, 2, 3)), "5[2,3]"],
    [sub(filled(2, 2, 1), filled(3, 3)), "-1[2,3]"],
    [mul(div(filled(1), filled(49)), filled(49)), "1"],
    [maximum(filled(2), filled(3)), "3"],
    [minimum(filled(2), filled(3)), "2"],
    [neg(filled(2, 3)), "-2[3]"],
    [el.sqrt(filled(16)), "4"],
    [el.rsqrt(filled(16)), "0.25"],
    [el.reciprocal(filled(4)), "0.25"],
    [el.log(el.exp(filled(0))), "0"],
    [el.tanh(filled(0)), "tanh(0)"],
    [maximum(listed("three", 3), filled(2)), "maximum(numbers[3], 2)"],
    [maximum(filled(2), listed("three", 3)), "maximum(2, numbers[3])"],
    [add(constant(1, [], "i32"), constant(2, [], "i32")), "add(1, 2)"],
  ],
  "an operand is expanded only where it gives the shape": [
    [add(broadcastTo(s, [2, 3]), x), "add(s, x)"],
    [div(x, broadcastTo(c, [2, 3])), "div(x, c)"],
    [maximum(broadcastTo(s, [2, 3]), c), "maximum(broadcastTo{2,3}(s), c)"],
    [minimum(c, broadcastTo(s, [2, 3])), "minimum(c, broadcastTo{2,3}(s))"],
    [maximum(x, filled(0.5, 2, 3)), "maximum(x, 0.5)"],
    [minimum(filled(0.5, 3), x), "minimum(0.5, x)"],
    [maximum(filled(0.5, 2, 3), s), "maximum(0.5[2,3], s)"],
    [maximum(s, filled(0.5, 2, 3)), "maximum(s, 0.5[2,3])"],
  ],
  sums: [
    [add(x, x), "mul(x, 2)"],
    [add(add(y, x), x), "add(y, mul(x, 2))"],
    [add(add(x, y), x), "add(y, mul(x, 2))"],
    [add(x, add(y, x)), "add(y, mul(x, 2))"],
    [add(add(x, s), s), "add(add(x, s), s)"],
    [add(x, 0), "x"],
    [add(0, x), "x"],
    [add(s, filled(0, 2, 3)), "broadcastTo{2,3}(s)"],
    [add(filled(0, 2, 3), s), "broadcastTo{2,3}(s)"],
    [add(x, neg(y)), "sub(x, y)"],
    [add(neg(x), y), "sub(y, x)"],
    [add(x, y), "add(x, y)"],
    [add(add(x, y), s), "add(add(x, y), s)"],
    [add(mul(x, y), x), "add(mul(x, y), x)"],
  ],
  differences: [
    [sub(x, x), "0[2,3]"],
    [sub(x, 0), "x"],
    [sub(s, filled(0, 2, 3)), "broadcastTo{2,3}(s)"],
    [sub(0, x), "neg(x)"],
    [sub(filled(0, 2, 3), s), "broadcastTo{2,3}(neg(s))"],
    [sub(x, neg(y)), "add(x, y)"],
    [sub(neg(x), y), "sub(neg(x), y)"],
  ],
  products: [
    [mul(x, 0), "0[2,3]"],
    [mul(filled(0), x), "0[2,3]"],
    [mul(1, x), "x"],
    [mul(s, filled(1, 2, 3)), "broadcastTo{2,3}(s)"],
    [mul(x, -1), "neg(x)"],
    [mul(filled(-1, 2, 3), s), "broadcastTo{2,3}(neg(s))"],
    [mul(neg(x), 3), "mul(x, -3)"],
    [mul(3, neg(x)), "mul(x, -3)"],
    [mul(neg(x), y), "mul(neg(x), y)"],
    [mul(mul(x, s), d), "mul(x, mul(s, d))"],
    [mul(d, mul(s, x)), "mul(x, mul(s, d))"],
    [mul(mul(x, 2), 3), "mul(x, 6)"],
    [mul(mul(d, 2), 3), "mul(d, 6)"],
    [mul(3, mul(2, d)), "mul(d, 6)"],
    [mul(mul(d, 2), e), "mul(mul(d, 2), e)"],
    [mul(mul(d, e), 2), "mul(mul(d, e), 2)"],
    [mul(mul(x, s), y), "mul(mul(x, s), y)"],
    [mul(mul(x, y), s), "mul(mul(x, y), s)"],
    [mul(mul(s, c), d), "mul(mul(s, c), d)"],
    [mul(mul(d, e), x), "mul(mul(d, e), x)"],
  ],
  "negatives and quotients": [
    [neg(neg(x)), "x"],
    [neg(sub(x, y)), "sub(y, x)"],
    [neg(mul(x, s)), "mul(x, neg(s))"],
    [neg(mul(s, x)), "mul(x, neg(s))"],
    [neg(mul(x, y)), "neg(mul(x, y))"],
    [neg(x), "neg(x)"],
    [div(x, 4), "mul(x, 0.25)"],
    [div(x, y), "div(x, y)"],
  ],
  shapes: [
    [reshape(filled(2, 2, 3), [6]), "2[6]"],
    [transpose(filled(2, 2, 3)), "2[3,2]"],
    [slice(filled(2, 2, 3), 1, 0, 2), "2[2,2]"],
    [broadcastTo(filled(2, 3), [2, 3]), "2[2,3]"],
    [reshape(reshape(x, [6]), [3, 2]), "reshape{3,2}(x)"],
    [reshape(reshape(x, [6]), [2, 3]), "x"],
    [apply(reshapeOp, [x], { shape: [2, 3] }), "x"],
    [reshape(listed("six", 2, 3), [6]), "numbers[6]"],
    [reshape(neg(x), [6]), "reshape{6}(neg(x))"],
    [broadcastTo(broadcastTo(s, [2, 1, 3]), [2, 4, 3]), "broadcastTo{2,4,3}(s)"],
    [broadcastTo(s, [1, 3]), "reshape{1,3}(s)"],
    [broadcastTo(d, [1, 1]), "reshape{1,1}(d)"],
    [broadcastTo(x, [1, 2, 3]), "reshape{1,2,3}(x)"],
    [broadcastTo(x, [2, 2, 3]), "broadcastTo{2,2,3}(x)"],
    [broadcastTo(c, [2, 3]), "broadcastTo{2,3}(c)"],
    [broadcastTo(c, [1, 2, 3]), "broadcastTo{1,2,3}(c)"],
    [transpose(transpose(t, [1, 2, 0]), [1, 0, 2]), "transpose{2,1,0}(t)"],
    [transpose(transpose(t, [1, 2, 0]), [2, 0, 1]), "t"],
    [transpose(x), "transpose{1,0}(x)"],
    [slice(slice(x, 1, 1, 3), 1, 1, 2), "slice{1:2-3}(x)"],
    [slice(slice(x, 1, 1, 3), 0, 1, 2), "slice{0:1-2}(slice{1:1-3}(x))"],
    [slice(concat([x, y, x], 0), 0, 2, 4), "y"],
    [slice(concat([x, y, x], 0), 0, 3, 4), "slice{0:1-2}(y)"],
    [slice(concat([x, y, x], 0), 0, 0, 1), "slice{0:0-1}(x)"],
    [slice(concat([x, y], 0), 0, 1, 3), "slice{0:1-3}(concat{0}(x, y))"],
    [slice(concat([x, y], 0), 1, 1, 3), "slice{1:1-3}(concat{0}(x, y))"],
  ],
  "maps of a sum": [
    [add(reshape(x, [6]), reshape(y, [6])), "reshape{6}(add(x, y))"],
    [sub(reshape(x, [6]), reshape(y, [6])), "reshape{6}(sub(x, y))"],
    [add(reshape(x, [6]), reshape(transpose(y), [6])), "add(reshape{6}(x), reshape{6}(transpose{1,0}(y)))"],
    [add(matmul(matrix, x), matmul(matrix, y)), "matmul(numbers[4,2], add(x, y))"],
    [
      sub(matmul(c, reshape(s, [1, 3])), matmul(c, slice(x, 0, 0, 1))),
      "sub(matmul(c, reshape{1,3}(s)), matmul(c, slice{0:0-1}(x)))",
    ],
    [
      add(matmul(x, listed("p", 3, 2)), matmul(y, listed("p", 3, 2))),
      "add(matmul(x, numbers[3,2]), matmul(y, numbers[3,2]))",
    ],
    [sub(take(x, 1, first), take(y, 1, first)), "take{1}(sub(x, y))"],
    [add(take(x, 1, first), take(y, 1, second)), "add(take{1}(x), take{1}(y))"],
    [
      add(take(take(x, 1, second), 0, second), take(take(y, 1, second), 1, second)),
      "add(take{0}(take{1}(x)), take{1}(take{1}(y)))",
    ],
    [add(take(x, 1, first), take(concat([y, y], 1), 1, first)), "add(take{1}(x), take{1}(concat{1}(y, y)))"],
    [add(el.tanh(x), el.tanh(y)), "add(tanh(x), tanh(y))"],
    [add(reshape(c, [1, 2]), transpose(c)), "add(reshape{1,2}(c), transpose{1,0}(c))"],
    [add(reshape(x, [6, 1]), reshape(y, [1, 6])), "add(reshape{6,1}(x), reshape{1,6}(y))"],
    [add(take(x, 1, first), concat([c, c], 1)), "add(take{1}(x), concat{1}(c, c))"],
    [add(div(square, x), div(square, y)), "add(div(numbers[2,3], x), div(numbers[2,3], y))"],
    [add(matmul(matrix, x), matmul(other, y)), "add(matmul(numbers[4,2], x), matmul(numbers[4,2], y))"],
    [
      add(reshape(x, [1, 6]), reshape(concat([y, y], 0), [2, 6])),
      "add(reshape{1,6}(x), reshape{2,6}(concat{0}(y, y)))",
    ],
  ],
  totals: [
    [sum(c, [1], true), "c"],
    [sum(t, [1, 2], true), "sum{2}(t)"],
    [sum(sum(x, [0], true), [1], true), "sum{0,1}(x)"],
    [sum(filled(0.5, 2, 3), [0], true), "1[1,3]"],
    [sum(broadcastTo(s, [2, 3]), [0], true), "reshape{1,3}(mul(s, 2))"],
    [sum(broadcastTo(c, [2, 3]), [0], true), "sum{0}(broadcastTo{2,3}(c))"],
    [sum(neg(x), [0], true), "neg(sum{0}(x))"],
    [sum(mul(x, s), [0], true), "mul(sum{0}(x), s)"],
    [sum(mul(x, s), [1], true), "sum{1}(mul(x, s))"],
    [sum(mul(mul(x, s), y), [0], true), "mul(sum{0}(mul(x, y)), s)"],
    [sum(mul(s, c), [0], true), "mul(sum{0}(c), s)"],
    [sum(add(x, s), [0], true), "add(sum{0}(x), mul(s, 2))"],
    [sum(sub(s, x), [0], true), "sub(mul(s, 2), sum{0}(x))"],
    [sum(add(x, y), [0], true), "sum{0}(add(x, y))"],
    [sum(centred, [0], true), "0[1,3]"],
    [sum(add(centred, y), [0], true), "sum{0}(y)"],
    [sum(sub(y, centred), [0], true), "sum{0}(y)"],
    [sum(el.tanh(x), [0], true), "sum{0}(tanh(x))"],
    [sum(mul(x, s)), "reshape{}(sum{0,1}(mul(x, s)))"],
    [sum(mul(u, x), [2], true), "mul(sum{2}(reshape{1,2,3}(x)), u)"],
    [sum(mul(mul(mul(x, y), s), c), [1], true), "mul(sum{1}(mul(mul(s, x), y)), c)"],
  ],
};

describe.each(Object.entries(identities))("%s", (_, cases) => {
  it.each(cases.map(([before, after]) => [text(before), after, before] as const))("%s = %s", (_, after, before) => {
    const [simple] = simplify([before]) as [Tensor];
    expect(text(simple)).toBe(after);
    expect([simple.shape, simple.dtype]).toEqual([before.shape, before.dtype]);
    const [values, expected] = [evaluate([simple], feeds)[0]!, evaluate([before], feeds)[0]!];
    expect(relativeError(values, expected, 1)).toBeLessThan(F64);
  });
});
