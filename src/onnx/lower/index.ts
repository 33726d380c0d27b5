import { withInputs } from "../../graph/op.ts";
import { type FilterBankAttrs, filterBankByWindows } from "../../graph/ops/filter-bank.ts";
import type { OpName } from "../../graph/ops/index.ts";
import { simplify } from "../../graph/simplify.ts";
import type { Target, Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import { lowerConv, lowerConvInput, lowerConvWeight } from "./conv.ts";
import { scaleWeights } from "./channel-scale.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";

const lowerFilterBank: Lowering = ({ dtype, inputs: [x, filters], attrs }) =>
  dtype === "f64" ? filterBankByWindows(x!, filters!, attrs as FilterBankAttrs) : undefined;

/** Ops that are rewritten before emission; all others are emitted as they are. */
const lowerings: Partial<Record<OpName, Lowering>> = {
  conv2d: lowerConv,
  conv2dInput: lowerConvInput,
  conv2dWeight: lowerConvWeight,
  filterBank: lowerFilterBank,
};

/** The same outputs for one target: simplified, lowered, and simplified again. */
export function lower(outputs: readonly Tensor[], target: Target): Tensor[] {
  const made = new Map<string, unknown>();
  const context: LoweringContext = {
    target,
    memo<T>(key: string, make: () => T): T {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    },
  };
  const done = new Map<Tensor, Tensor>();
  const simple = simplify(scaleWeights(simplify(outputs)));
  for (const node of topological(simple)) {
    const inputs = node.inputs.map((x) => done.get(x)!);
    const rebuilt = inputs.every((x, i) => x === node.inputs[i]) ? node : withInputs(node, inputs);
    done.set(node, lowerings[node.op.name as OpName]?.(rebuilt, context) ?? rebuilt);
  }
  return simplify(simple.map((y) => done.get(y)!));
}
