import type { Op, Tensor } from "./tensor.ts";

export type { Op, Sample } from "./tensor.ts";

/** Declares an op. Attributes are stored untyped in the node and given back typed to this op's own functions. */
export const defineOp = <A = Record<string, never>>(op: Op<A>): Op<A> => Object.freeze(op);

/** Builds the node: checks shapes, infers the result. */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  const dtype = op.dtype ? op.dtype(inputs, attrs) : inputs[0]!.dtype;
  return Object.freeze({ op: op as Op, inputs, attrs, shape: op.shape(inputs, attrs), dtype });
}

/** The same operation on other inputs. */
export const withInputs = (node: Tensor, inputs: readonly Tensor[]): Tensor => apply(node.op, inputs, node.attrs);

/** A node's attributes, typed, if it is an application of `op`. */
export const attrsOf = <A>(op: Op<A>, node: Tensor): A | undefined =>
  node.op === (op as Op) ? (node.attrs as A) : undefined;
