import { describe, expect, it } from "vitest";
import { cutAtCalls, external } from "../src/graph/external.ts";
import { dot, grad, gradientVectorProduct, hessianVectorProduct, thirdOrderContraction } from "../src/graph/grad.ts";
import { add, mul } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { compile } from "../src/runtime/compile.ts";
import { compileStaged, type Evaluate, type Wanted } from "../src/runtime/staged.ts";
import { LoweringError } from "../src/util/errors.ts";
import { relativeError } from "./support/numbers.ts";
import { F32 } from "./tolerances.ts";

const N = 3;
const a = Float32Array.of(1, 2, -1);

/** Functions 0 and 1: f(x) = Σ aᵢxᵢ⁴ + (Σ xᵢ)³, and twice that. */
const inside = (x: Tensor, scale: number, weights: Tensor): Tensor => {
  const [squares, total] = [mul(x, x), sum(x)];
  return mul(scale, add(dot(weights, mul(squares, squares)), mul(total, mul(total, total))));
};

/** ∂ⁿf along n − 1 vectors, as a vector; by hand. */
function byHand({ of, order, point, along }: Wanted): Float64Array {
  const product = (values: readonly number[]) => values.reduce((p, x) => p * x, 1);
  const total = point.reduce((s, x) => s + x, 0);
  const sums = along.map((w) => w.reduce((s, x) => s + x, 0));
  const [power, cube] = [[1, 4, 12, 24, 24][order]!, [1, 3, 6, 6, 0][order]!];
  const scale = of + 1;
  if (order === 0) return Float64Array.of(scale * (point.reduce((s, x, i) => s + a[i]! * x ** 4, 0) + total ** 3));
  return Float64Array.from(point, (x, i) => {
    const own = a[i]! * power * x ** (4 - order) * product(along.map((w) => w[i]!));
    return scale * (own + cube * total ** (3 - order) * product(sums));
  });
}

async function both(build: (x: Tensor, w: Tensor, f: readonly ((x: Tensor) => Tensor)[]) => Record<string, Tensor>) {
  const rounds: Wanted[][] = [];
  const evaluate: Evaluate = (wanted) => {
    rounds.push([...wanted]);
    for (const one of wanted) one.into.set(byHand(one));
    return Promise.resolve();
  };
  const spec = { x: { shape: [N] }, w: { shape: [N] } };
  const given = { x: Float32Array.of(0.3, -0.7, 1.1), w: Float32Array.of(0.5, 0.2, -0.4) };
  const staged = await compileStaged(({ x, w }) => build(x!, w!, [external(0), external(1)]), spec, { threads: 1 });
  const outside = await staged.run(given, evaluate);
  const whole = await compile(
    ({ x, w, weights }) =>
      build(
        x!,
        w!,
        [1, 2].map((scale) => (point: Tensor) => inside(point, scale, weights!)),
      ),
    { ...spec, weights: { shape: [N] } },
    { threads: 1 },
  );
  const expected = await whole.run({ ...given, weights: a });
  for (const [name, value] of Object.entries(expected))
    expect(relativeError(outside[name]!, value), name).toBeLessThan(F32);
  await staged.release();
  await whole.release();
  return { rounds, given };
}

describe("a function outside the graph", () => {
  it("differentiates to any order, as one inside it", async () => {
    const { rounds } = await both((x, w, [f]) => {
      const [y, g] = [f!(x), grad(f!(x), x)];
      return {
        y: mul(1, y),
        g,
        along: gradientVectorProduct(g, x, w),
        fourth: gradientVectorProduct(thirdOrderContraction(y, x, w), x, w),
        scaled: grad(mul(y, y), x),
        norm: grad(dot(g, g), x),
        throughVector: grad(dot(hessianVectorProduct(y, x, w), mul(w, w)), x),
      };
    });
    expect(Math.max(...rounds.flat().map(({ order }) => order))).toBe(4);
  });

  it("differentiates by the vectors that a product is along", async () => {
    await both((x, w, [f]) => {
      // The product Hw with w free, by the gradient of ⟨∇f, w⟩.
      const Hw = grad(dot(grad(f!(x), x), w), x);
      return { byVector: grad(dot(Hw, x), w) };
    });
  });

  it("is asked in rounds, once for each derivative, and gets the arrays of the inputs", async () => {
    const { rounds, given } = await both((x, w, [f, other]) => {
      const ahead = (of: (x: Tensor) => Tensor, by: number) => {
        const point = add(x, mul(by, grad(of(x), x)));
        return grad(of(point), point);
      };
      return {
        one: ahead(f!, 0.1),
        two: ahead(f!, 0.2),
        same: mul(2, ahead(f!, 0.1)),
        other: add(w, ahead(other!, 0.1)),
      };
    });
    expect(rounds.map((round) => round.map(({ of, order }) => `${of}/${order}`).sort())).toEqual([
      ["0/1", "1/1"],
      ["0/1", "0/1", "1/1"],
    ]);
    for (const { point } of rounds[0]!) expect(point).toBe(given.x);
  });

  it("that nothing calls asks for nothing", async () => {
    const { rounds } = await both((x, w) => ({ sum: add(x, w) }));
    expect(rounds).toEqual([]);
    const x = input("x", [N]);
    expect(cutAtCalls([mul(x, x)]).rounds).toEqual([]);
  });

  it("cannot be emitted", async () => {
    await expect(compile(({ x }) => ({ y: external(0)(x) }), { x: { shape: [N] } })).rejects.toThrow(LoweringError);
  });
});
