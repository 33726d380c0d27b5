import type { Tensor } from "../graph/tensor.ts";
import type { NamedTensor } from "../onnx/emit.ts";
import { topological } from "../graph/walk.ts";
import { InputError } from "../util/errors.ts";

type Pair = readonly [input: string, output: string];

/** Throws unless `output` may be written over `input` while the graph runs: see `lateReader`. */
export function assertInPlace(outputs: readonly NamedTensor[], [input, output]: Pair): void {
  const op = lateReader(outputs, [input, output]);
  if (op !== undefined)
    throw new InputError(
      `in place: ${output} cannot be written over ${input}, because a ${op} may read it later`,
      { input, output, op },
      "keep two arrays and let them take turns",
    );
}

/**
 * The op that could read `input` after `output` was written over it. Every reader of the input must have run before the output
 * is made, or be the elementwise operation that makes it. Views of the input count as the input.
 */
export function lateReader(outputs: readonly NamedTensor[], [input, output]: Pair): string | undefined {
  const target = outputs.find(({ name }) => name === output)?.tensor;
  if (target === undefined)
    throw new InputError(
      `in place: no output is called ${output}`,
      { output },
      `outputs: ${outputs.map(({ name }) => name)}`,
    );
  const before = new Set(topological([target]));
  const views = new Set<Tensor>();
  for (const node of topological(outputs.map(({ tensor }) => tensor))) {
    if (node.op.name === "input" && (node.attrs as { readonly name: string }).name === input) views.add(node);
    if (!node.inputs.some((x) => views.has(x))) continue;
    if (node.op.view) views.add(node);
    const harmless = node === target ? node.op.elementwise === true : before.has(node);
    if (!harmless) return node.op.name;
  }
  return undefined;
}
