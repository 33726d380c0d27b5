import { LoweringError } from "../util/errors.ts";
import { apply, attrsOf, defineOp, withInputs } from "./op.ts";
import { mul } from "./ops/elementwise.ts";
import { input } from "./ops/source.ts";
import { rewrite } from "./rewrite.ts";
import { simplify } from "./simplify.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

interface ExternalAttrs {
  /** Which function. */
  readonly of: number;
  /** 0 for f, 1 for ∇f, 2 for a product with the Hessian, and so on. */
  readonly order: number;
}

/**
 * A function of a vector that is computed outside the graph, and its derivatives: of order n, ∇⟨∂ⁿ⁻¹f, w₁ … wₙ₋₁⟩ at a point. As
 * they are symmetric in their vectors, the derivative of each is one of them again: the set is closed.
 */
const externalOp = defineOp<ExternalAttrs>({
  name: "external",
  shape: ([point], { order }) => (order === 0 ? [] : point!.shape),
  vjp: ({ g, inputs, attrs: { of, order } }) => {
    const [point, ...along] = inputs as [Tensor, ...Tensor[]];
    if (order === 0) return [() => mul(g, derivative(of, 1, point, []))];
    return [
      () => derivative(of, order + 1, point, [...along, g]),
      ...along.map((_, i) => () => derivative(of, order, point, along.with(i, g))),
    ];
  },
  emit: (_, __, ___, { order }) => {
    throw new LoweringError(`a function outside the graph is part of it (order ${order})`, { order });
  },
  samples: [],
});

const derivative = (of: number, order: number, point: Tensor, along: readonly Tensor[]): Tensor =>
  apply(externalOp, [point, ...along], { of, order });

/** The function of a number, [d] → [], as a graph sees it. It differentiates to any order. */
export const external =
  (of: number) =>
  (point: Tensor): Tensor =>
    derivative(of, 0, point, []);

/** A value that must be computed outside the graph: a derivative of a function at a point, along vectors. */
export interface Call extends ExternalAttrs {
  /** The input that takes its result. */
  readonly name: string;
  readonly shape: Tensor["shape"];
  readonly point: Tensor;
  readonly along: readonly Tensor[];
}

/** `outputs` cut at external functions: calls in rounds, each of which depends on results of rounds before it, and the outputs by results of all. */
export interface Cut {
  readonly rounds: readonly (readonly Call[])[];
  readonly outputs: readonly Tensor[];
}

/** Cuts a graph where it calls external functions; equal calls are one. */
export function cutAtCalls(outputs: readonly Tensor[]): Cut {
  const simplest = simplify(outputs);
  /** The rounds that come before a node is known. */
  const after = new Map<Tensor, number>();
  for (const node of topological(simplest)) {
    const before = Math.max(0, ...node.inputs.map((x) => after.get(x)!));
    after.set(node, before + (attrsOf(externalOp, node) ? 1 : 0));
  }
  const rounds: Call[][] = Array.from({ length: Math.max(0, ...after.values()) }, () => []);
  let calls = 0;
  const rest = rewrite(simplest, (node, inputs) => {
    const attrs = attrsOf(externalOp, node);
    if (attrs === undefined) return withInputs(node, inputs);
    const [point, ...along] = inputs as [Tensor, ...Tensor[]];
    const call = { ...attrs, name: `external.${calls++}`, shape: node.shape, point, along };
    rounds[after.get(node)! - 1]!.push(call);
    return input(call.name, call.shape, node.dtype);
  });
  return { rounds, outputs: rest };
}
