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

/** The users of every node, each as often as it reads it; an output has `undefined` as one more. */
export type Users = ReadonlyMap<Tensor, readonly (Tensor | undefined)[]>;

export function usersOf(outputs: readonly Tensor[]): Users {
  const order = topological(outputs);
  const users = new Map<Tensor, (Tensor | undefined)[]>(order.map((node) => [node, []]));
  for (const node of order) for (const x of node.inputs) users.get(x)!.push(node);
  for (const output of outputs) users.get(output)!.push(undefined);
  return users;
}
