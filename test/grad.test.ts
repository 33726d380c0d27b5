import { describe, expect, it } from "vitest";
import { accumulate } from "../src/graph/accumulate.ts";
import {
  dot,
  grad,
  gradientVectorProduct,
  hessianVectorProduct,
  pullBack,
  thirdOrderContraction,
} from "../src/graph/grad.ts";
import { apply } from "../src/graph/op.ts";
import { concatOp, padOp } from "../src/graph/ops/arrange.ts";
import { add, mul, neg, tanh } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { DerivativeError } from "../src/util/errors.ts";
import { evaluate } from "./support/reference.ts";

const feeds = { x: [1, -2, 3], y: [2, 0.5, -1] };
const [x, y] = [input("x", [3], "f64"), input("y", [3], "f64")];
const numbers = (tensor: Tensor) => Array.from(evaluate([tensor], feeds)[0]!, (value) => Number(value.toFixed(10)) + 0);
/** f = Σ xᵢ²yᵢ + (Σx)³: ∇f = 2xy + 3s², Hv = 2yv + 6s·Σv, T[u,u] = 6(Σu)², with s = Σx = 2. */
const cube = (s: Tensor) => mul(s, mul(s, s));
const f = add(sum(mul(mul(x, x), y)), cube(sum(x)));
const v = [1, 0, -2];
const tangent = constant(Float64Array.from(v), [3], "f64");

describe("the derivative", () => {
  it("is one tensor for one, and a list for a list", () => {
    expect(numbers(grad(f, x))).toEqual([16, 10, 6]);
    const both = grad(f, [y, x]);
    expect(both.map(numbers)).toEqual([
      [1, 4, 9],
      [16, 10, 6],
    ]);
  });

  it("by itself is 1, and by what it does not depend on 0, of its shape", () => {
    const s = constant(5, [1, 1], "f64");
    expect([numbers(grad(s, s)), grad(s, s).shape]).toEqual([[1], [1, 1]]);
    const other = input("other", [2, 2], "f64");
    expect([numbers(grad(f, other)), grad(f, other).shape]).toEqual([
      [0, 0, 0, 0],
      [2, 2],
    ]);
  });

  it("by a value inside the graph, and by what it is made of, at once", () => {
    const inner = mul(x, y);
    const value = sum(mul(inner, inner));
    expect(grad(value, [inner, x]).map(numbers)).toEqual([
      [4, -2, -6],
      [8, -1, 6],
    ]);
  });

  it.each([
    [mul(x, x), x],
    [constant(1, [], "i32"), x],
    [f, input("n", [3], "i32")],
  ])("is refused where there is none", (value, by) => {
    expect(() => grad(value, by)).toThrow(DerivativeError);
  });

  it("pulls cotangents back through several outputs", () => {
    const [by] = pullBack([mul(x, y), tanh(mul(x, 0))], [tangent, constant(1, [3], "f64")], [x]);
    expect(numbers(by!)).toEqual([2, 0, 2]);
  });

  it("of second and third order holds the direction fixed, even one that is made of x", () => {
    expect(numbers(dot(x, y))).toEqual([-2]);
    const Hv = [4 - 12, -12, 4 - 12];
    expect(numbers(hessianVectorProduct(f, x, tangent))).toEqual(Hv);
    expect(numbers(gradientVectorProduct(grad(f, x), x, mul(x, 1)))).toEqual([4 + 24, -2 + 24, -6 + 24]);
    expect(numbers(thirdOrderContraction(f, x, tangent))).toEqual([6, 6, 6]);
    expect(numbers(thirdOrderContraction(f, x, mul(x, 1)))).toEqual([24, 24, 24]);
  });
});

describe("the sum of cotangents", () => {
  const part = (label: string, shape: readonly number[]) => input(label, shape, "f64");
  const padded = (t: Tensor, before: number, after: number, axis = 0, value = 0) =>
    apply(padOp, [t], { axis, before, after, value });
  const given = { a: [1, 2], b: [3], c: [10, 20, 30, 40, 50], d: [100, 200] };
  const [a, b, c, d] = [part("a", [2]), part("b", [1]), part("c", [5]), part("d", [2])];
  const values = (t: Tensor) => [...evaluate([t], given)[0]!];
  const count = (t: Tensor, name: string) => topological([t]).filter(({ op }) => op.name === name).length;

  it("lays disjoint parts side by side, in one piece, with zeros between", () => {
    const total = accumulate([padded(b, 4, 0), padded(a, 1, 2)]);
    expect(values(total)).toEqual([0, 1, 2, 0, 3]);
    expect([count(total, "concat"), count(total, "add"), count(total, "pad")]).toEqual([1, 0, 0]);
    expect(total.inputs.map(({ shape }) => shape)).toEqual([[1], [2], [1], [1]]);
    const close = accumulate([padded(a, 0, 3), padded(d, 2, 1), padded(b, 4, 0)]);
    expect(values(close)).toEqual([1, 2, 100, 200, 3]);
    expect([close.op.name, close.inputs.length]).toEqual([concatOp.name, 3]);
  });

  it("adds parts that overlap, and what is no part", () => {
    const total = accumulate([padded(a, 0, 3), c, padded(d, 1, 2)]);
    expect(values(total)).toEqual([11, 122, 230, 40, 50]);
    expect([count(total, "concat"), count(total, "add"), count(total, "pad")]).toEqual([2, 2, 0]);
    expect(accumulate([c])).toBe(c);
    // A padding with another number is none.
    expect(values(accumulate([padded(a, 0, 3, 0, 7), padded(d, 3, 0)]))).toEqual([1, 2, 7, 107, 207]);
  });

  it("joins along one axis only", () => {
    const [wide, tall] = [part("a", [1, 2]), part("d", [2, 1])];
    const total = accumulate([padded(wide, 0, 1), padded(tall, 1, 0, 1), padded(part("a", [1, 2]), 1, 0)]);
    expect(values(total)).toEqual([1, 102, 1, 202]);
    expect([count(total, "concat"), count(total, "pad")]).toEqual([1, 1]);
    const rows = accumulate([padded(wide, 1, 1), padded(part("d", [1, 2]), 0, 2)]);
    expect(values(rows)).toEqual([100, 200, 1, 2, 0, 0]);
  });

  it("adds terms of one op first, so that they can be merged", () => {
    const terms = [neg(c), tanh(c), neg(mul(c, 2)), tanh(mul(c, 2))];
    const names: string[] = [];
    for (let t = accumulate(terms); ; t = t.inputs[0]!) {
      if (t.op.name !== "add") {
        names.unshift(t.op.name);
        break;
      }
      names.unshift(t.inputs[1]!.op.name);
    }
    expect(names).toEqual(["neg", "neg", "tanh", "tanh"]);
  });
});
