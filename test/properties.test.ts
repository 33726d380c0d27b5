import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grad } from "../src/graph/grad.ts";
import { concat, inversePermutation, slice, split, transpose } from "../src/graph/ops/arrange.ts";
import * as el from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { max } from "../src/graph/ops/max.ts";
import { broadcastTo, sum } from "../src/graph/ops/reduce.ts";
import { reshape } from "../src/graph/ops/reshape.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import { simplify } from "../src/graph/simplify.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { ShapeError } from "../src/util/errors.ts";
import { type Shape, sameShape, showShape, sizeOf } from "../src/util/shape.ts";
import { relativeError, vector } from "./support/numbers.ts";
import { evaluate, indices, Values } from "./support/reference.ts";
import { F64, SIMPLIFIED } from "./tolerances.ts";

const RUNS = { numRuns: 200, seed: 42 };
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
const nonEmpty = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

const x64 = (name: string, shape: Shape) => input(name, shape, "f64");

describe("broadcasting", () => {
  /** NumPy's rule, spelled out on padded shapes. */
  function broadcast(a: Shape, b: Shape): number[] | undefined {
    const rank = Math.max(a.length, b.length);
    const padded = (s: Shape) => [...new Array<number>(rank - s.length).fill(1), ...s];
    const [x, y] = [padded(a), padded(b)];
    return x.every((d, i) => d === y[i] || d === 1 || y[i] === 1) ? x.map((d, i) => Math.max(d, y[i]!)) : undefined;
  }

  it.each([
    ["add", el.add, (a: number, b: number) => a + b],
    ["mul", el.mul, (a: number, b: number) => a * b],
  ] as const)("%s follows the rule, or names itself and both shapes", (name, op, compute) => {
    let refused = 0;
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        const expected = broadcast(a, b);
        const make = () => op(x64("a", a), x64("b", b));
        if (expected === undefined) {
          refused++;
          expect(make).toThrow(ShapeError);
          expect(make).toThrow(`${name}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
          return;
        }
        const [av, bv] = [new Values(a, vector("a", a)), new Values(b, vector("b", b))];
        const result = make();
        expect(result.shape).toEqual(expected);
        const naive = indices(expected).map((index) => compute(av.at(...index), bv.at(...index)));
        expect([...evaluate([result], { a: av.data, b: bv.data })[0]!]).toEqual(naive);
      }),
      RUNS,
    );
    expect(refused).toBeGreaterThan(0);
  });

  it("is undone by its gradient: every element counts as often as it was repeated", () => {
    fc.assert(
      fc.property(shapes, nonEmpty, (a, b) => {
        const target = broadcast(a, b);
        fc.pre(target !== undefined);
        const x = x64("x", a);
        const [g] = grad(sum(broadcastTo(x, target!)), [x]) as [Tensor];
        const repeats = sizeOf(target!) / sizeOf(a);
        expect([...evaluate([g], { x: vector("x", a) })[0]!]).toEqual(new Array(sizeOf(a)).fill(repeats));
      }),
      RUNS,
    );
  });
});

it("a sum over any axes is the naive sum, with and without its axes", () => {
  const subset = nonEmpty.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()])));
  fc.assert(
    fc.property(subset, fc.boolean(), ([shape, axes], negative) => {
      const data = vector("x", shape);
      const totals = new Map<string, number>();
      indices(shape).forEach((index, at) => {
        const key = index.filter((_, i) => !axes.includes(i)).join();
        totals.set(key, (totals.get(key) ?? 0) + data[at]!);
      });
      const given = negative ? axes.map((axis) => axis - shape.length) : axes;
      const result = sum(x64("x", shape), given);
      const kept = sum(x64("x", shape), given, true);
      expect(result.shape).toEqual(shape.filter((_, i) => !axes.includes(i)));
      expect(kept.shape).toEqual(shape.map((d, i) => (axes.includes(i) ? 1 : d)));
      for (const values of evaluate([result, kept], { x: data }))
        expect(relativeError(values, [...totals.values()], 1)).toBeLessThan(F64);
    }),
    RUNS,
  );
});

describe("rearranging twice", () => {
  const permutation = (rank: number) =>
    fc.shuffledSubarray([...new Array(rank).keys()], { minLength: rank, maxLength: rank });
  const twoPermutations = nonEmpty.chain((shape) =>
    fc.tuple(fc.constant(shape), permutation(shape.length), permutation(shape.length)),
  );

  it("by a permutation and its inverse is nothing at all", () => {
    fc.assert(
      fc.property(twoPermutations, ([shape, perm]) => {
        const x = x64("x", shape);
        const there = transpose(x, perm);
        const back = transpose(there, inversePermutation(perm));
        expect(there.shape).toEqual(perm.map((axis) => shape[axis]));
        expect([...evaluate([back], { x: vector("x", shape) })[0]!]).toEqual([...vector("x", shape)]);
        expect(simplify([back])[0]).toBe(x);
      }),
      RUNS,
    );
  });

  it("by two permutations simplifies to at most one, with the same values", () => {
    fc.assert(
      fc.property(twoPermutations, ([shape, first, second]) => {
        const y = transpose(transpose(x64("x", shape), first), second);
        const simple = simplify([y]);
        const [before, after] = [y, simple[0]!].map((node) => evaluate([node], { x: vector("x", shape) })[0]);
        expect(simple[0]!.shape).toEqual(y.shape);
        expect(after).toEqual(before);
        expect(topological(simple).filter(({ op }) => op.name === "transpose").length).toBeLessThanOrEqual(1);
      }),
      RUNS,
    );
  });

  it("by two cuts of one axis simplifies to one, with the same values", () => {
    const bounds = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3));
    fc.assert(
      fc.property(bounds, fc.integer({ min: 0, max: 1 }), ([a, b, c, d], axis) => {
        const length = a + b + c + d + 1;
        const shape = axis === 0 ? [length, 2] : [2, length];
        const y = slice(slice(x64("x", shape), axis, a, length - b), axis, c, c + d + 1);
        const simple = simplify([y]);
        const [before, after] = [y, simple[0]!].map((node) => evaluate([node], { x: vector("x", shape) })[0]);
        expect(after).toEqual(before);
        expect(topological(simple).filter(({ op }) => op.name === "slice").length).toBeLessThanOrEqual(1);
      }),
      RUNS,
    );
  });
});

describe("split", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 8 });

  it("then concat is the identity", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 1 }), (parts, axis) => {
        const total = parts.reduce((a, b) => a + b);
        const shape = axis === 0 ? [total, 2] : [2, total];
        const joined = concat(split(x64("x", shape), parts, axis), axis);
        expect([...evaluate([joined], { x: vector("x", shape) })[0]!]).toEqual([...vector("x", shape)]);
      }),
      RUNS,
    );
  });

  it("then concat, cut anywhere, simplifies to the same values", () => {
    fc.assert(
      fc.property(sizes, fc.nat(40), fc.nat(40), (parts, from, length) => {
        const names = parts.map((size, i) => x64(`x${i}`, [size]));
        const joined = parts.flatMap((size, i) => [...vector(`x${i}`, [size])]);
        const start = from % joined.length;
        const end = start + 1 + (length % (joined.length - start));
        const feeds = Object.fromEntries(parts.map((size, i) => [`x${i}`, vector(`x${i}`, [size])]));
        const cut = simplify([slice(concat(names), 0, start, end)]);
        expect([...evaluate(cut, feeds)[0]!]).toEqual(joined.slice(start, end));
      }),
      RUNS,
    );
  });

  it("has one concat for a gradient, and no padding, however many parts", () => {
    const nodesFor = (count: number) => {
      const x = x64("x", [3 * count]);
      const parts = split(
        x,
        Array.from({ length: count }, () => 3),
      );
      const total = parts.map((part, i) => sum(el.mul(el.tanh(part), i + 2))).reduce((a, b) => el.add(a, b));
      const nodes = topological(grad(total, [x]));
      const named = (name: string) => nodes.filter(({ op }) => op.name === name).length;
      expect(named("concat")).toBe(1);
      expect(named("pad")).toBe(0);
      return nodes.length;
    };
    const [at4, at8, at16] = [nodesFor(4), nodesFor(8), nodesFor(16)] as const;
    expect(at16 - at8).toBe(2 * (at8 - at4));
  });

  it("fills what no part used with zeros in the gradient", () => {
    const x = x64("x", [6]);
    const [, middle] = split(x, [1, 2, 3]) as [Tensor, Tensor];
    const gradient = grad(sum(el.mul(middle, 2)), [x]);
    expect([...evaluate(gradient, { x: vector("x", [6]) })[0]!]).toEqual([0, 2, 2, 0, 0, 0]);
  });
});

describe("simplify, on random expressions,", () => {
  const inputs: Readonly<Record<string, Shape>> = { a: [2, 3], b: [3], c: [2, 1], d: [] };
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, vector(name, shape)]));

  const leaf: fc.Arbitrary<Tensor> = fc.oneof(
    fc.constantFrom(...Object.entries(inputs).map(([name, shape]) => x64(name, shape))),
    fc.constantFrom<Shape>([3], [2, 3]).map((shape) => constant(vector("constant", shape), shape, "f64")),
    fc
      .tuple(fc.constantFrom(0, 1, -1, 0.5, 2), fc.constantFrom<Shape>([], [3], [2, 3]))
      .map(([value, shape]) => constant(value, shape, "f64")),
  );
  const unary: readonly ((x: Tensor) => Tensor)[] = [
    el.neg,
    el.tanh,
    el.relu,
    (x) => el.rsqrt(el.add(el.mul(x, x), 1)),
    (x) => el.div(x, 2),
    (x) => el.exp(el.tanh(x)),
    (x) => sum(x),
    (x) => (x.shape.length === 0 ? x : sum(x, [0], true)),
    (x) => (x.shape.length === 0 ? x : sum(x, [-1])),
    (x) => (x.shape.length === 0 ? x : max(x, [-1], true)),
    (x) => transpose(x),
    (x) => reshape(x, [1, ...x.shape]),
    (x) => reshape(x, [-1]),
    (x) => (sameShape(x.shape, [2, 3]) ? matmul(x, x, { transB: true }) : x),
    (x) => broadcastTo(x, [2, ...x.shape]),
    (x) => (x.shape[0] === 2 ? concat(split(x, [1, 1])) : x),
    (x) => ((x.shape[0] ?? 1) > 1 ? slice(x, 0, 1, x.shape[0]!) : x),
    (x) => ((x.shape.at(-1) ?? 1) > 1 ? slice(x, x.shape.length - 1, 0, x.shape.at(-1)! - 1) : x),
    (x) => transpose(x, [...x.shape.keys()].slice(1).concat(x.shape.length === 0 ? [] : [0])),
  ];
  const binary = [el.add, el.sub, el.mul, el.maximum, el.minimum];
  /** Where two shapes do not broadcast, both are summed first. */
  const join = (op: (typeof binary)[number], a: Tensor, b: Tensor): Tensor => {
    try {
      return op(a, b);
    } catch {
      return op(sum(a), sum(b));
    }
  };
  const { expression } = fc.letrec<{ expression: Tensor }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 7, depthIdentifier: "expression" },
      { weight: 1, arbitrary: leaf },
      {
        weight: 3,
        arbitrary: fc.tuple(fc.constantFrom(...unary), tie("expression")).map(([op, x]) => {
          const y = op(x);
          return sizeOf(y.shape) <= 64 ? y : sum(y);
        }),
      },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom(...binary), tie("expression"), tie("expression"))
          .map(([op, a, b]) => join(op, a, b)),
      },
    ),
  }));
  const many = { numRuns: 1500, seed: 42 };
  const magnitude = (nodes: readonly Tensor[]) =>
    evaluate(topological(nodes), feeds).reduce(
      (most, data) => data.reduce((m, v) => Math.max(m, Math.abs(v)), most),
      1,
    );

  it("changes no value, shape or dtype", () => {
    fc.assert(
      fc.property(expression, (y) => {
        const [simple] = simplify([y]) as [Tensor];
        expect(simple.shape).toEqual(y.shape);
        expect(simple.dtype).toBe(y.dtype);
        const [before, after] = [evaluate([y], feeds)[0]!, evaluate([simple], feeds)[0]!];
        expect(relativeError(after, before, magnitude([y]))).toBeLessThan(SIMPLIFIED);
      }),
      many,
    );
  });

  it("changes no gradient", () => {
    fc.assert(
      fc.property(expression, (y) => {
        const wrt = topological([y]).filter(({ op }) => op.name === "input");
        fc.pre(wrt.length > 0);
        const value = sum(y);
        const whole = evaluate(simplify(grad(value, wrt)), feeds);
        evaluate(grad(simplify([value])[0]!, wrt), feeds).forEach((g, i) => {
          const scale = magnitude([...grad(value, wrt), y]);
          expect(relativeError(g, whole[i]!, scale)).toBeLessThan(SIMPLIFIED);
        });
      }),
      many,
    );
  });

  it("leaves nothing to simplify", () => {
    let reduced = 0;
    fc.assert(
      fc.property(expression, (y) => {
        const once = simplify([y]);
        const count = topological(once).length;
        if (count < topological([y]).length) reduced++;
        expect(topological(simplify(once)).length).toBe(count);
      }),
      many,
    );
    expect(reduced).toBeGreaterThan(100);
  });
});
