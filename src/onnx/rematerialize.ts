import { withInputs } from "../graph/op.ts";
import { recompute } from "../graph/ops/recompute.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { sizeOf } from "../util/shape.ts";
import { executionOrder } from "./schedule.ts";

/** Two uses further apart than this many nodes do not share one copy: a layer's backward pass is about half as long. */
const FAR = 64;

/** Smaller intermediates are not worth a second computation. */
const LARGE = 4 << 20;

/**
 * Trades a little time for memory (Griewank & Walther's checkpointing, with the checkpoints given): a large intermediate
 * that is cheap to make from something smaller or equally long-lived, and whose uses lie far apart in the order of
 * execution, is made again for the later uses. Values do not change.
 */
export function rematerialize(outputs: readonly Tensor[]): Tensor[] {
  const order = topological(outputs);
  const cheap = new Set<Tensor>();
  for (const node of order) if (isCheap(node, cheap)) cheap.add(node);
  const copyFor = assignCopies(outputs, order, cheap);

  const done = new Map<Tensor, Tensor>();
  const copies = new Map<number, Map<Tensor, Tensor>>();
  /** A cheap node made anew, down to the first node that is kept. */
  const copyOf = (node: Tensor, copy: number): Tensor => {
    if (isConstant(node)) return done.get(node)!;
    if (!cheap.has(node)) return recompute(done.get(node)!, `copy ${copy}`);
    const made = copies.get(copy) ?? new Map<Tensor, Tensor>();
    copies.set(copy, made);
    const again =
      made.get(node) ??
      withInputs(
        node,
        node.inputs.map((x) => copyOf(x, copy)),
      );
    made.set(node, again);
    return again;
  };
  for (const node of order) {
    const inputs = node.inputs.map((x) => {
      const copy = copyFor.get(x)?.get(node) ?? 0;
      return copy === 0 ? done.get(x)! : copyOf(x, copy);
    });
    done.set(node, inputs.every((x, i) => x === node.inputs[i]) ? node : withInputs(node, inputs));
  }
  return outputs.map((y) => done.get(y)!);
}

/** For each large cheap node that has distant uses: which copy each of its users gets. Copy 0 is the node itself. */
function assignCopies(outputs: readonly Tensor[], order: readonly Tensor[], cheap: ReadonlySet<Tensor>) {
  const position = new Map(executionOrder(outputs).map((node, i) => [node, i]));
  const users = new Map<Tensor, Tensor[]>([...cheap].map((node) => [node, []]));
  for (const node of order) if (!cheap.has(node)) for (const x of new Set(node.inputs)) users.get(x)?.push(node);

  const copyFor = new Map<Tensor, Map<Tensor, number>>();
  for (const [node, list] of users) {
    if (sizeOf(node.shape) < LARGE) continue;
    const sorted = list.toSorted((a, b) => position.get(a)! - position.get(b)!);
    let copy = 0;
    const assigned = sorted.map((user, i): [Tensor, number] => {
      if (i > 0 && position.get(user)! - position.get(sorted[i - 1]!)! > FAR) copy++;
      return [user, copy];
    });
    if (copy > 0) copyFor.set(node, new Map(assigned));
  }
  return copyFor;
}

const isConstant = (node: Tensor): boolean => node.op.name === "constant";

/** Multiply-adds per element beyond which a transform is kept: those of weights take 9, and cost 1 % of a step to make again. */
const CHEAP = 12;

/** A mask, a transform by a small constant matrix that makes its operand larger, or another shape of one of these. */
function isCheap(node: Tensor, cheap: ReadonlySet<Tensor>): boolean {
  const [a, b] = node.inputs;
  switch (node.op.name) {
    case "heaviside":
      return true;
    case "matmul":
      return isConstant(a!) && a!.shape.at(-1)! <= CHEAP && (cheap.has(b!) || sizeOf(b!.shape) < sizeOf(node.shape));
    case "reshape":
      return cheap.has(a!);
    default:
      return false;
  }
}
