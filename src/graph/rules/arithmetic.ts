import { sameShape, sizeOf } from "../../util/shape.ts";
import { apply } from "../op.ts";
import { add, addOp, mul, mulOp, neg, negOp, sub, subOp } from "../ops/elementwise.ts";
import { broadcastOp, broadcastTo } from "../ops/reduce.ts";
import { constant, uniformValue } from "../ops/source.ts";
import { isFloat, type Op, type Tensor } from "../tensor.ts";
import type { Rule } from "./rule.ts";

const is = (node: Tensor, op: Op): boolean => node.op === op;
const filled = (value: number, like: Tensor): Tensor => constant(value, like.shape, like.dtype);
/** 1/n·n is meant to be 1, whatever n. */
const snap = (value: number): number => (Math.abs(value - 1) < 1e-12 ? 1 : value);

const evaluate: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => snap(a * b),
  div: (a, b) => snap(a / b),
  maximum: Math.max,
  minimum: Math.min,
  neg: (a) => -a,
  reciprocal: (a) => 1 / a,
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  exp: Math.exp,
  log: Math.log,
};

/** An operation on constants that are one number throughout is such a constant. */
export const foldUniform: Rule = (node) => {
  const values = node.inputs.map(uniformValue);
  const compute = evaluate[node.op.name];
  if (!compute || !isFloat(node.dtype) || values.some((v) => v === undefined)) return undefined;
  return filled(compute(values[0]!, values[1] ?? 0), node);
};

/** An operand need not be expanded where the other one already has the shape of the result. */
export const dropBroadcast: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (is(a, broadcastOp) && sameShape(b.shape, node.shape)) return apply(node.op, [a.inputs[0]!, b], node.attrs);
  if (is(b, broadcastOp) && sameShape(a.shape, node.shape)) return apply(node.op, [a, b.inputs[0]!], node.attrs);
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
    if (is(total, addOp) && total.inputs.includes(x) && sameShape(total.shape, x.shape)) {
      const other = total.inputs[0] === x ? total.inputs[1]! : total.inputs[0]!;
      return add(other, mul(x, 2));
    }
  if (uniformValue(a) === 0) return broadcastTo(b, node.shape);
  if (uniformValue(b) === 0) return broadcastTo(a, node.shape);
  if (is(b, negOp)) return sub(a, b.inputs[0]!);
  if (is(a, negOp)) return sub(b, a.inputs[0]!);
  return undefined;
};

/** x − 0 = x; 0 − x = −x; x − x = 0; x − (−y) = x + y. */
export const simplifySub: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (a === b) return filled(0, node);
  if (uniformValue(b) === 0) return broadcastTo(a, node.shape);
  if (uniformValue(a) === 0) return broadcastTo(neg(b), node.shape);
  if (is(b, negOp)) return add(a, b.inputs[0]!);
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
    if (value !== undefined && is(x, negOp)) return mul(x.inputs[0]!, filled(-value, c));
  }
  for (const [x, t] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!is(x, mulOp) || sizeOf(x.shape) !== sizeOf(node.shape)) continue;
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
  if (is(x, negOp)) return x.inputs[0]!;
  if (is(x, subOp)) return sub(x.inputs[1]!, x.inputs[0]!);
  if (is(x, mulOp)) {
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

export const isAdd = (node: Tensor): boolean => is(node, addOp);
export const isSub = (node: Tensor): boolean => is(node, subOp);
export const isMul = (node: Tensor): boolean => is(node, mulOp);
export const isNeg = (node: Tensor): boolean => is(node, negOp);
