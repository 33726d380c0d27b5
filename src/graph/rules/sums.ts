import { type Shape, sizeOf } from "../../util/shape.ts";
import { attrsOf, is } from "../op.ts";
import { add, addOp, mul, mulOp, neg, negOp, sub, subOp } from "../ops/elementwise.ts";
import { broadcastOp, broadcastTo, sum, sumOp } from "../ops/reduce.ts";
import { constant, uniformValue } from "../ops/source.ts";
import type { Tensor } from "../tensor.ts";
import type { Rule } from "./rule.ts";

/**
 * Σ is linear, so what does not vary along the summed axes leaves the sum: Σ x·s = s·Σx, Σ (x + s) = Σx + n·s, Σ −x = −Σx.
 * Batch norm's derivatives of every order live on this: a centred tensor x − mean(x) sums to zero, which
 * shows here as Σx − n·(1/n)·Σx, and whole passes over the activations disappear.
 */
export const pushSum: Rule = (node, simplify) => {
  const x = node.inputs[0]!;
  const { axes } = attrsOf(sumOp, node)!;
  const count = sizeOf(axes.map((i) => x.shape[i]!));
  const sumOf = (t: Tensor) => simplify(sum(broadcastAlong(t, x.shape, axes), axes, true));
  const constantAlong = (t: Tensor) => varies(t, x.shape.length, axes) === false;
  const total = (t: Tensor) => (constantAlong(t) ? mul(t, constant(count, [], t.dtype)) : sumOf(t));
  const shaped = (t: Tensor) => broadcastTo(t, node.shape);

  const value = uniformValue(x);
  if (value !== undefined) return constant(value * count, node.shape, node.dtype);
  if (is(broadcastOp, x) && constantAlong(x.inputs[0]!)) return shaped(total(x.inputs[0]!));
  if (is(negOp, x)) return neg(sum(x.inputs[0]!, axes, true));
  if (is(mulOp, x)) {
    const factors = factorsOf(x);
    const outside = factors.filter(constantAlong);
    if (outside.length === 0) return undefined;
    const inside = factors.filter((f) => !constantAlong(f));
    return shaped(mul(sumOf(product(inside)), product(outside)));
  }
  if (is(addOp, x) || is(subOp, x)) {
    const [a, b] = x.inputs as [Tensor, Tensor];
    const combine = is(addOp, x) ? add : sub;
    if (constantAlong(a) || constantAlong(b)) return shaped(combine(total(a), total(b)));
    const [sumA, sumB] = [sumOf(a), sumOf(b)];
    if (uniformValue(sumA) === 0 || uniformValue(sumB) === 0) return shaped(combine(sumA, sumB));
  }
  return undefined;
};

/** Whether `t`, aligned on the right with `rank` axes, changes along any of `axes`. */
const varies = (t: Tensor, rank: number, axes: readonly number[]): boolean =>
  axes.some((axis) => (t.shape[axis - rank + t.shape.length] ?? 1) !== 1);

/** `t` with the full length of `shape` along `axes` and 1s where it has no axis. */
function broadcastAlong(t: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  const lead = shape.length - t.shape.length;
  return broadcastTo(
    t,
    shape.map((d, i) => (axes.includes(i) ? d : (t.shape[i - lead] ?? 1))),
  );
}

function factorsOf(x: Tensor): Tensor[] {
  return is(mulOp, x) ? x.inputs.flatMap(factorsOf) : [x];
}

/** Small factors first, so that few passes are over large tensors. */
const product = (factors: readonly Tensor[]): Tensor =>
  factors.toSorted((a, b) => sizeOf(a.shape) - sizeOf(b.shape)).reduce((p, f) => mul(p, f));
