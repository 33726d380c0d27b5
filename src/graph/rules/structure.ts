import { sameShape } from "../../util/shape.ts";
import { apply, attrsOf, is } from "../op.ts";
import { concatOp, slice, sliceOp, transpose, transposeOp } from "../ops/arrange.ts";
import { matmulOp } from "../ops/matmul.ts";
import { broadcastOp, broadcastTo, sum, sumOp } from "../ops/reduce.ts";
import { reshape, reshapeOp } from "../ops/reshape.ts";
import { constant, constantOp, uniformValue } from "../ops/source.ts";
import { take, takeOp } from "../ops/take.ts";
import type { Tensor } from "../tensor.ts";
import type { Rule } from "./rule.ts";

/** Rearranging a constant that is one number throughout only changes its shape. */
export const rearrangeUniform: Rule = (node) => {
  const value = uniformValue(node.inputs[0]!);
  return value === undefined ? undefined : constant(value, node.shape, node.dtype);
};

/** reshape ∘ reshape = reshape; a reshape to the same shape is nothing; a reshaped constant is a constant. */
export const simplifyReshape: Rule = (node) => {
  const x = node.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  const data = attrsOf(constantOp, x)?.data;
  if (data !== undefined) return constant(data, node.shape, node.dtype);
  return is(reshapeOp, x) ? reshape(x.inputs[0]!, node.shape) : undefined;
};

/** A broadcast of a broadcast is one broadcast; one that adds only leading 1s is a reshape. */
export const simplifyBroadcast: Rule = (node) => {
  const x = node.inputs[0]!;
  if (is(broadcastOp, x)) return broadcastTo(x.inputs[0]!, node.shape);
  const significant = node.shape.slice(node.shape.length - x.shape.length);
  const onlyOnes =
    sameShape(significant, x.shape) && node.shape.every((d, i) => d === 1 || i >= node.shape.length - x.shape.length);
  return onlyOnes ? reshape(x, node.shape) : undefined;
};

/** transpose ∘ transpose = one transpose, or none. */
export const simplifyTranspose: Rule = (node) => {
  const x = node.inputs[0]!;
  const outer = attrsOf(transposeOp, node)!.perm;
  const inner = attrsOf(transposeOp, x)?.perm;
  return (
    inner &&
    transpose(
      x.inputs[0]!,
      outer.map((i) => inner[i]!),
    )
  );
};

/** A slice that falls on the parts of a concatenation needs only those parts. */
export const simplifySlice: Rule = (node) => {
  const { axis, start, end } = attrsOf(sliceOp, node)!;
  const x = node.inputs[0]!;
  const inner = attrsOf(sliceOp, x);
  if (inner?.axis === axis) return slice(x.inputs[0]!, axis, inner.start + start, inner.start + end);
  if (attrsOf(concatOp, x)?.axis !== axis) return undefined;
  let at = 0;
  for (const part of x.inputs) {
    const next = at + part.shape[axis]!;
    if (start >= at && end <= next) return slice(part, axis, start - at, end - at);
    at = next;
  }
  return undefined;
};

/** A sum over axes of length 1, and over an axis twice. */
export const simplifySum: Rule = (node) => {
  const x = node.inputs[0]!;
  const { axes } = attrsOf(sumOp, node)!;
  const real = axes.filter((i) => x.shape[i] !== 1);
  if (real.length < axes.length) return sum(x, real, true);
  const inner = attrsOf(sumOp, x);
  return inner ? sum(x.inputs[0]!, [...new Set([...inner.axes, ...axes])], true) : undefined;
};

/** Sums and differences of one linear map are the map of the sum: L(p) ± L(q) = L(p ± q). */
export const mergeLinear: Rule = (node) => {
  const [a, b] = node.inputs as [Tensor, Tensor];
  if (a.op !== b.op || !sameShape(a.shape, b.shape)) return undefined;
  const combine = (p: Tensor, q: Tensor) => apply(node.op, [p, q], node.attrs);
  if (is(reshapeOp, a) && sameShape(a.inputs[0]!.shape, b.inputs[0]!.shape))
    return reshape(combine(a.inputs[0]!, b.inputs[0]!), node.shape);
  const [x, y] = [a.inputs[0]!, b.inputs[0]!];
  const [p, q] = [a.inputs[1], b.inputs[1]];
  if (is(matmulOp, a) && x === y && is(constantOp, x) && sameShape(p!.shape, q!.shape))
    return apply(a.op, [x, combine(p!, q!)], a.attrs);
  const [from, to] = [attrsOf(takeOp, a), attrsOf(takeOp, b)];
  if (from && from.axis === to!.axis && from.indices === to!.indices && sameShape(x.shape, y.shape))
    return take(combine(x, y), from.axis, from.indices);
  return undefined;
};
