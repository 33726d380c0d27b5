import { Node } from "./node.ts";
import type { Op, Sample, Tensor } from "./tensor.ts";
import type { Shape } from "../util/shape.ts";

export type { Op, Sample } from "./tensor.ts";

/** Declares an op. Attributes are stored untyped in the node and given back typed to this op's own functions. */
export const defineOp = <A = Record<string, never>>(op: Op<A>): Op<A> => Object.freeze(op);

/** A case for the tests: attributes, and the shapes of the inputs. */
export const sample = <A>(attrs: A, ...shapes: readonly Shape[]): Sample<A> => ({ attrs, shapes });

/** Builds the node: checks shapes, infers the result. */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  const dtype = op.dtype ? op.dtype(inputs, attrs) : inputs[0]!.dtype;
  return new Node(op as Op, inputs, attrs, op.shape(inputs, attrs), dtype);
}

/** The same operation on other inputs; the node itself where the inputs are its own. */
export const withInputs = (node: Tensor, inputs: readonly Tensor[]): Tensor =>
  inputs.every((x, i) => x === node.inputs[i]) ? node : apply(node.op, inputs, node.attrs);

/** Whether the node is an application of `op`. */
export const is = <A>(op: Op<A>, node: Tensor | undefined): boolean => node?.op === (op as Op);

/** A node's attributes, typed, if it is an application of `op`. */
export const attrsOf = <A>(op: Op<A>, node: Tensor): A | undefined => (is(op, node) ? (node.attrs as A) : undefined);
