import { attrsOf } from "../../graph/op.ts";
import { inputOp } from "../../graph/ops/source.ts";
import { topological } from "../../graph/walk.ts";
import { InputError } from "../../util/errors.ts";
import type { NamedTensor } from "../emit.ts";
import { memoryOwners } from "./execution.ts";

/** An output that is written over an input's array. */
export interface InPlace {
  readonly input: string;
  readonly output: string;
}

/** Throws unless `output` may be written over `input` while the graph runs: see `lateReader`. */
export function assertInPlace(outputs: readonly NamedTensor[], { input, output }: InPlace): void {
  const op = lateReader(outputs, { input, output });
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
export function lateReader(outputs: readonly NamedTensor[], { input, output }: InPlace): string | undefined {
  const target = outputs.find(({ name }) => name === output)?.tensor;
  if (target === undefined)
    throw new InputError(
      `in place: no output is called ${output}`,
      { output },
      `outputs: ${outputs.map(({ name }) => name)}`,
    );
  const order = topological(outputs.map(({ tensor }) => tensor));
  const owners = memoryOwners(order);
  const before = new Set(topological([target]));
  const late = order.find((node) => {
    const reads = node.inputs.some((x) => attrsOf(inputOp, owners.get(x)!)?.name === input);
    return reads && !(node === target ? node.op.elementwise : before.has(node));
  });
  return late?.op.name;
}
