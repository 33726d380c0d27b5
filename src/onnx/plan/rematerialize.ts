import { is, withInputs } from "../../graph/op.ts";
import { entryOf, type OpName } from "../../graph/ops/index.ts";
import { recompute } from "../../graph/ops/recompute.ts";
import { constantOp } from "../../graph/ops/source.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import { sizeOf } from "../../util/shape.ts";

/** Two uses further apart than this many nodes do not share one copy: a layer's backward pass is about half as long. */
const FAR = 64;

/** Smaller intermediates are not worth a second computation. */
const LARGE = 4 << 20;

/**
 * Trades a little time for memory (Griewank & Walther's checkpointing, with the checkpoints given). Some large intermediates
 * are cheap to make from something smaller or equally long-lived. Where their uses lie far apart in the order of
 * execution, they are made again for the later uses. Values do not change. Without such an intermediate `outputs` itself is returned.
 */
export function rematerialize(outputs: readonly Tensor[], execution: readonly Tensor[]): readonly Tensor[] {
  const order = topological(outputs);
  const cheap = new Set<Tensor>();
  for (const node of order) if (isCheap(node, cheap)) cheap.add(node);
  const copyFor = assignCopies(order, execution, cheap);
  if (copyFor.size === 0) return outputs;

  const copies = new Map<Tensor, Tensor[]>();
  /** A cheap node made anew, down to the first node that is kept. */
  const copyOf = (node: Tensor, copy: number, rewritten: (x: Tensor) => Tensor): Tensor => {
    if (is(constantOp, node)) return rewritten(node);
    if (!cheap.has(node)) return recompute(rewritten(node), `copy ${copy}`);
    const made = copies.get(node) ?? [];
    copies.set(node, made);
    made[copy] ??= withInputs(
      node,
      node.inputs.map((x) => copyOf(x, copy, rewritten)),
    );
    return made[copy];
  };
  return rewrite(outputs, (node, inputs, rewritten) =>
    withInputs(
      node,
      node.inputs.map((x, i) => {
        const copy = copyFor.get(x)?.get(node) ?? 0;
        return copy === 0 ? inputs[i]! : copyOf(x, copy, rewritten);
      }),
    ),
  );
}

/** For each large cheap node that has distant uses: which copy each of its users gets. Copy 0 is the node itself. */
function assignCopies(order: readonly Tensor[], execution: readonly Tensor[], cheap: ReadonlySet<Tensor>) {
  const position = new Map(execution.map((node, i) => [node, i]));
  const users = new Map<Tensor, Tensor[]>([...cheap].map((node) => [node, []]));
  for (const node of order) if (!cheap.has(node)) for (const x of new Set(node.inputs)) users.get(x)?.push(node);

  const copyFor = new Map<Tensor, ReadonlyMap<Tensor, number>>();
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

/** Multiply-adds per element beyond which a transform is kept: those of weights take 9, and cost 1 % of a step to make again. */
const CHEAP = 12;

/** A mask, a transform by a small constant matrix that makes its operand larger, or another shape of one of these. */
const cheapOps: Partial<Record<OpName, (node: Tensor, cheap: ReadonlySet<Tensor>) => boolean>> = {
  heaviside: () => true,
  matmul: (node, cheap) => {
    const [matrix, x] = node.inputs as [Tensor, Tensor];
    const small = is(constantOp, matrix) && matrix.shape.at(-1)! <= CHEAP;
    return small && (cheap.has(x) || sizeOf(x.shape) < sizeOf(node.shape));
  },
  reshape: ({ inputs: [x] }, cheap) => cheap.has(x!),
};

const isCheap = (node: Tensor, cheap: ReadonlySet<Tensor>): boolean => entryOf(cheapOps, node)?.(node, cheap) ?? false;
