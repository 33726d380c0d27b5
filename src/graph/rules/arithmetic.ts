import { sameShape, sizeOf } from "../../util/shape.ts";
import { apply, is } from "../op.ts";
import { add, addOp, mul, mulOp, neg, negOp, sub, subOp } from "../ops/elementwise.ts";
import { broadcastOp, broadcastTo } from "../ops/reduce.ts";
import { constant, uniformValue } from "../ops/source.ts";
import { isFloat, type Tensor } from "../tensor.ts";
import type { Rule } from "./rule.ts";

const filled = (value: number, like: Tensor): Tensor => constant(value, like.shape, like.dtype);

/** An operation on constants that are one number throughout is such a constant. */
export const foldUniform: Rule = (node) => {
  const { fold } = node.op;
  if (!fold || !isFloat(node.dtype)) return undefined;
  const [a, b] = node.inputs.map(uniformValue);
  if (a === undefined || (node.inputs.length > 1 && b === undefined)) return undefined;
  return filled(fold(a, b ?? 0), node);
};

/** An operand need not be expanded where the other one already has the shape of the result. */
export const dropBroadcast: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (is(broadcastOp, a) && sameShape(b.shape, node.shape)) return apply(node.op, [a.inputs[0]!, b], node.attrs);
  if (is(broadcastOp, b) && sameShape(a.shape, node.shape)) return apply(node.op, [a, b.inputs[0]!], node.attrs);
  return undefined;
};

/** A constant operand needs no more than one number where the other operand gives the shape. */
export const shrinkUniform: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  const shrinks = (c: Tensor, x: Tensor) =>
    c.shape.length > 0 && uniformValue(c) !== undefined && sameShape(x.shape, node.shape);
  const one = (c: Tensor) => constant(uniformValue(c)!, [], c.dtype);
  if (shrinks(a, b)) return apply(node.op, [one(a), b], node.attrs);
  return shrinks(b, a) ? apply(node.op, [a, one(b)], node.attrs) : undefined;
};

/** x + 0 = x; x + (−y) = x − y; x + x = 2x, also where (y + x) + x hides it, as in the derivative of a square. */
export const simplifyAdd: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (a === b) return mul(a, 2);
  for (const [total, x] of [
    [a, b],
    [b, a],
  ] as const)
    if (is(addOp, total) && total.inputs.includes(x) && sameShape(total.shape, x.shape)) {
      const other = total.inputs[0] === x ? total.inputs[1]! : total.inputs[0]!;
      return add(other, mul(x, 2));
    }
  if (uniformValue(a) === 0) return broadcastTo(b, node.shape);
  if (uniformValue(b) === 0) return broadcastTo(a, node.shape);
  if (is(negOp, b)) return sub(a, b.inputs[0]!);
  if (is(negOp, a)) return sub(b, a.inputs[0]!);
  return undefined;
};

/** x − 0 = x; 0 − x = −x; x − x = 0; x − (−y) = x + y. */
export const simplifySub: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (a === b) return filled(0, node);
  if (uniformValue(b) === 0) return broadcastTo(a, node.shape);
  if (uniformValue(a) === 0) return broadcastTo(neg(b), node.shape);
  if (is(negOp, b)) return add(a, b.inputs[0]!);
  return undefined;
};

/**
 * x·0 = 0; x·1 = x; x·(−1) = −x; (−x)·y = −(x·y) with a constant y; and small factors gather on the right:
 * (x·s)·t = x·(s·t) where s and t are smaller than x, so that one pass over x is enough.
 */
export const simplifyMul: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  for (const [x, c] of [
    [a, b],
    [b, a],
  ] as const) {
    const value = uniformValue(c);
    if (value === 0) return filled(0, node);
    if (value === 1) return broadcastTo(x, node.shape);
    if (value === -1) return broadcastTo(neg(x), node.shape);
    if (value !== undefined && is(negOp, x)) return mul(x.inputs[0]!, filled(-value, c));
  }
  for (const [x, t] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!is(mulOp, x)) continue;
    for (const [big, s] of [
      [x.inputs[0]!, x.inputs[1]!],
      [x.inputs[1]!, x.inputs[0]!],
    ] as const) {
      const small = sizeOf(t.shape) < sizeOf(node.shape) && sizeOf(s.shape) < sizeOf(node.shape);
      const scalars = uniformValue(t) !== undefined && uniformValue(s) !== undefined;
      if ((small || scalars) && sameShape(big.shape, node.shape)) return mul(big, mul(s, t));
    }
  }
  return undefined;
};

/** −(−x) = x; −(x − y) = y − x; −(x·s) = x·(−s) for the smaller factor s. */
export const simplifyNeg: Rule = (node) => {
  const x = node.inputs[0]!;
  if (is(negOp, x)) return x.inputs[0]!;
  if (is(subOp, x)) return sub(x.inputs[1]!, x.inputs[0]!);
  if (is(mulOp, x)) {
    const [a, b] = x.inputs as [Tensor, Tensor];
    if (sizeOf(b.shape) < sizeOf(a.shape)) return mul(a, neg(b));
    if (sizeOf(a.shape) < sizeOf(b.shape)) return mul(b, neg(a));
  }
  return undefined;
};

/** x / c = x·(1/c) for a constant c. */
export const simplifyDiv: Rule = (node) => {
  const c = uniformValue(node.inputs[1]!);
  return c === undefined ? undefined : mul(node.inputs[0]!, filled(1 / c, node.inputs[1]!));
};
