import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/** What becomes of a node: `inputs` are its rewritten inputs, `rewritten` looks up any node met before. */
export type Visit = (node: Tensor, inputs: readonly Tensor[], rewritten: (x: Tensor) => Tensor) => Tensor;

/** `outputs` with every node they depend on replaced by what `visit` makes of it, inputs before users. */
export function rewrite(outputs: readonly Tensor[], visit: Visit): Tensor[] {
  const done = new Map<Tensor, Tensor>();
  const rewritten = (x: Tensor): Tensor => done.get(x)!;
  for (const node of topological(outputs)) done.set(node, visit(node, node.inputs.map(rewritten), rewritten));
  return outputs.map(rewritten);
}
