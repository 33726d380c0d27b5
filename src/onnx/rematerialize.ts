import { withInputs } from "../graph/op.ts";
import { recompute } from "../graph/ops/recompute.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { sizeOf } from "../util/shape.ts";
import { executionOrder } from "./schedule.ts";

/** Two uses further apart than this many nodes do not share one copy: a layer's backward pass is about half as long. */
const FAR = 64;

/** Smaller intermediates are not worth a second computation. */
const LARGE = 1 << 18;

/**
 * Trades a little time for memory (Griewank & Walther's checkpointing, with the checkpoints given): a large intermediate
 * that is cheap to make from something smaller or equally long-lived, and whose uses lie far apart in the order of
 * execution, is made again for the later uses. Values do not change.
 */
export function rematerialize(outputs: readonly Tensor[]): Tensor[] {
  const position = new Map(executionOrder(outputs).map((node, i) => [node, i]));
  const order = topological(outputs);
  const cheap = new Set<Tensor>();
  const users = new Map<Tensor, Tensor[]>();
  for (const node of order) {
    if (isCheap(node, cheap)) cheap.add(node);
    for (const x of node.inputs) users.set(x, [...(users.get(x) ?? []), node]);
  }

  /** For a cheap node: which copy each of its users gets; copy 0 is the original. */
  const copyFor = new Map<Tensor, Map<Tensor, number>>();
  for (const node of cheap) {
    const final = users.get(node)?.filter((user) => !cheap.has(user)) ?? [];
    if (sizeOf(node.shape) < LARGE || final.length < 2) continue;
    let copy = 0;
    let last = Number.NEGATIVE_INFINITY;
    const copies = new Map<Tensor, number>();
    for (const user of final.toSorted((a, b) => position.get(a)! - position.get(b)!)) {
      const at = position.get(user)!;
      if (copies.size > 0 && at - last > FAR) copy++;
      copies.set(user, copy);
      last = at;
    }
    if (copy > 0) copyFor.set(node, copies);
  }

  const done = new Map<Tensor, Tensor>();
  const again = new Map<string, Map<Tensor, Tensor>>();
  const copyOf = (node: Tensor, tag: string): Tensor => {
    if (!cheap.has(node)) return recompute(done.get(node)!, tag);
    let made = again.get(tag);
    if (!made) again.set(tag, (made = new Map()));
    let copy = made.get(node);
    if (!copy) {
      copy = withInputs(
        node,
        node.inputs.map((x) => (isConstant(x) ? done.get(x)! : copyOf(x, tag))),
      );
      made.set(node, copy);
    }
    return copy;
  };
  for (const node of order) {
    const inputs = node.inputs.map((x) => {
      const copy = copyFor.get(x)?.get(node) ?? 0;
      return copy === 0 ? done.get(x)! : copyOf(x, `copy ${copy}`);
    });
    done.set(node, inputs.every((x, i) => x === node.inputs[i]) ? node : withInputs(node, inputs));
  }
  return outputs.map((y) => done.get(y)!);
}

const isConstant = (node: Tensor): boolean => node.op.name === "constant";

/** A mask, a transform by a constant matrix that makes its operand larger, or another shape of one of these. */
function isCheap(node: Tensor, cheap: ReadonlySet<Tensor>): boolean {
  const [a, b] = node.inputs;
  switch (node.op.name) {
    case "heaviside":
      return true;
    case "matmul":
      return isConstant(a!) && (cheap.has(b!) || sizeOf(b!.shape) < sizeOf(node.shape));
    case "reshape":
      return cheap.has(a!);
    default:
      return false;
  }
}
