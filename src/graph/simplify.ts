import { withInputs } from "./op.ts";
import { Node } from "./node.ts";
import { entryOf } from "./ops/index.ts";
import { foldUniform } from "./rules/arithmetic.ts";
import { rules } from "./rules/index.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/**
 * The same values from less work: equal nodes become one (common subexpressions), constants fold, and the rules in
 * ./rules rewrite by exact identities. Nothing changes but rounding. Dead nodes vanish because only what `outputs` reach
 * is rebuilt. Inputs keep their identity.
 */
export function simplify(outputs: readonly Tensor[]): Tensor[] {
  const session = new Session();
  for (const node of topological(outputs)) session.visit(node);
  return outputs.map((y) => session.visit(y));
}

class Session {
  private readonly done = new Map<Tensor, Tensor>();
  private readonly unique = new Map<string, Tensor>();

  /** The simplest node known to equal `node`. Recursion only reaches nodes that a rule has just made. */
  readonly visit = (node: Tensor): Tensor => {
    const known = this.done.get(node);
    if (known) return known;
    const inputs = node.inputs.map(this.visit);
    const shared = this.intern(withInputs(node, inputs));
    let result = this.done.get(shared);
    if (!result) {
      const rewritten = Node.isSimplest(shared) ? undefined : this.rewrite(shared);
      if (!rewritten) Node.markSimplest(shared);
      result = rewritten ? this.visit(rewritten) : shared;
      this.done.set(shared, result);
    }
    this.done.set(node, result);
    return result;
  };

  private rewrite(node: Tensor): Tensor | undefined {
    for (const rule of [foldUniform, ...(entryOf(rules, node) ?? [])]) {
      const better = rule(node, this.visit);
      if (better && better !== node) return better;
    }
    return undefined;
  }

  private intern(node: Tensor): Tensor {
    const key = Node.keyOf(node);
    const twin = this.unique.get(key);
    if (twin) return twin;
    this.unique.set(key, node);
    return node;
  }
}
