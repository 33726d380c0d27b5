import type { Tensor } from "./tensor.ts";

/** All nodes that `outputs` depend on, inputs before users. Iterative: graphs are deeper than the call stack. */
export function topological(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const entered = new Set<Tensor>();
  const stack: { readonly node: Tensor; next: number }[] = [];
  const enter = (node: Tensor) => {
    if (entered.has(node)) return;
    entered.add(node);
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const child = top.node.inputs[top.next++];
      if (child) enter(child);
      else order.push(stack.pop()!.node);
    }
  }
  return order;
}
