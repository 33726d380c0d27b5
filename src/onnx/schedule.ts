import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";

/** The order in which nodes are written to the model. */
export const schedule = (outputs: readonly Tensor[]): Tensor[] => topological(outputs);

/**
 * The order in which ONNX Runtime will run a model written in the order of `schedule`: it walks back from the last result,
 * always into the operand that was written last, and runs a node once all its operands have run. Weight gradients are
 * written last and in the order of the layers, so the walk meets the last layer's first, and each activation
 * is let go as soon as the backward pass has passed it.
 */
export function executionOrder(outputs: readonly Tensor[]): Tensor[] {
  const written = new Map(schedule(outputs).map((node, i) => [node, i]));
  const order: Tensor[] = [];
  const entered = new Set<Tensor>();
  const stack: { readonly node: Tensor; readonly left: boolean }[] = outputs.map((node) => ({ node, left: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, left } = top;
    if (left) order.push(node);
    if (left || entered.has(node)) continue;
    entered.add(node);
    stack.push({ node, left: true });
    for (const x of node.inputs.toSorted((a, b) => written.get(a)! - written.get(b)!))
      if (!entered.has(x)) stack.push({ node: x, left: false });
  }
  return order;
}
