import type { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import { dtypes } from "../../util/dtype.ts";
import { sizeOf } from "../../util/shape.ts";

/**
 * The order in which ONNX Runtime will run a model whose nodes are written in topological order. It walks back from the last
 * result, always into the operand that was written last, and runs a node once all its operands have run. Weight gradients are
 * written last and in the order of the layers, so the walk meets the last layer's first. Each activation is then freed as
 * soon as the backward pass has passed it.
 */
export function executionOrder(outputs: readonly Tensor[]): Tensor[] {
  const written = new Map(topological(outputs).map((node, i) => [node, i]));
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

/** The node whose memory each node's values are in: itself, or for a view the node it is a view of. */
export function memoryOwners(order: readonly Tensor[]): ReadonlyMap<Tensor, Tensor> {
  const owners = new Map<Tensor, Tensor>();
  for (const node of order) owners.set(node, node.op.view ? owners.get(node.inputs[0]!)! : node);
  return owners;
}

/** Memory that is taken from one step of the execution to another, both included. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

export interface Value extends Lifetime {
  readonly tensor: Tensor;
}

/**
 * When each intermediate value with memory of its own is made and last read, in steps of `order`. Inputs, constants and
 * outputs are not among them: their memory is the caller's or the model's.
 */
export function lifetimes(order: readonly Tensor[], outputs: readonly Tensor[]): Value[] {
  const owners = memoryOwners(order);
  const lastRead = new Map<Tensor, number>();
  for (const [step, node] of order.entries())
    for (const x of [node, ...node.inputs]) lastRead.set(owners.get(x)!, step);
  const elsewhere = new Set(outputs.map((y) => owners.get(y)!));
  return order.flatMap((tensor, from) =>
    tensor.inputs.length === 0 || tensor.op.view || elsewhere.has(tensor)
      ? []
      : [{ tensor, from, to: lastRead.get(tensor)!, bytes: sizeOf(tensor.shape) * dtypes[tensor.dtype].bytes }],
  );
}

/** The largest number of bytes that are taken at once, and the first step at which they are. */
export function peak(lifetimes: readonly Lifetime[], steps: number): { readonly bytes: number; readonly step: number } {
  const change = new Float64Array(steps + 1);
  for (const { from, to, bytes } of lifetimes) {
    change[from]! += bytes;
    change[to + 1]! -= bytes;
  }
  let [bytes, step, most] = [0, 0, 0];
  for (let i = 0; i < steps; i++) {
    bytes += change[i]!;
    if (bytes > most) [most, step] = [bytes, i];
  }
  return { bytes: most, step };
}
