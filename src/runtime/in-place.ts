import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { InputError } from "../util/errors.ts";

/**
 * Throws unless `output` may be written over `input` while the graph runs: every reader of the input must have run before
 * the output is made, or be the elementwise operation that makes it. Views of the input count as the input.
 */
export function assertInPlace(
  outputs: ReadonlyMap<string, Tensor>,
  [input, output]: readonly [input: string, output: string],
): void {
  const target = outputs.get(output);
  if (target === undefined)
    throw new InputError(`in place: no output is called ${output}`, { output }, `outputs: ${[...outputs.keys()]}`);
  const before = new Set(topological([target]));
  const views = new Set<Tensor>();
  for (const node of topological([...outputs.values()])) {
    if (node.op.name === "input" && (node.attrs as { readonly name: string }).name === input) views.add(node);
    if (!node.inputs.some((x) => views.has(x))) continue;
    if (node.op.name === "reshape") views.add(node);
    const harmless = node === target ? node.op.elementwise === true : before.has(node);
    if (!harmless)
      throw new InputError(
        `in place: ${output} cannot be written over ${input}, because a ${node.op.name} may read it later`,
        { input, output, op: node.op.name },
        "keep two arrays and let them take turns",
      );
  }
}
