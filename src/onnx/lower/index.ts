import { attrsOf, is, withInputs } from "../../graph/op.ts";
import { transposeOp } from "../../graph/ops/arrange.ts";
import { toBlocks, unblockedConv } from "../../graph/ops/blocked-conv.ts";
import { filterBankByWindows, filterBankOp } from "../../graph/ops/filter-bank.ts";
import { entryOf, type OpName } from "../../graph/ops/index.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { simplify } from "../../graph/simplify.ts";
import type { Target, Tensor } from "../../graph/tensor.ts";
import { contractionsIn, lowerConv, lowerConvInput, lowerConvWeight } from "./conv.ts";
import { scaleWeights } from "./channel-scale.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { lowerTranspose } from "./transpose.ts";

/** ONNX Runtime's CPU provider has no Conv in f64, blocked or not. */
const lowerFilterBank: Lowering = (node) =>
  node.dtype === "f64"
    ? filterBankByWindows(node.inputs[0]!, node.inputs[1]!, attrsOf(filterBankOp, node)!)
    : undefined;

const lowerBlockedConv: Lowering = (node, context) => {
  if (node.dtype !== "f64") return undefined;
  const conv = unblockedConv(node);
  return toBlocks(lowerConv(conv, context) ?? conv, node.shape[4]!);
};

/** Ops that are rewritten before emission; all others are emitted as they are. */
const lowerings: Partial<Record<OpName, Lowering>> = {
  conv2d: lowerConv,
  conv2dInput: lowerConvInput,
  conv2dWeight: lowerConvWeight,
  filterBank: lowerFilterBank,
  blockedConv: lowerBlockedConv,
};

/** The same outputs for one target: simplified, lowered, and simplified again. */
export function lower(outputs: readonly Tensor[], target: Target): Tensor[] {
  const made = new Map<string, unknown>();
  const ready = simplify(scaleWeights(simplify(outputs)));
  const context: LoweringContext = {
    target,
    contractions: contractionsIn(ready),
    memo<T>(key: string, make: () => T): T {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    },
  };
  const lowered = rewrite(ready, (original, inputs) => {
    const node = withInputs(original, inputs);
    return entryOf(lowerings, node)?.(node, context) ?? node;
  });
  // Last, as transpositions that meet first become one.
  const simple = simplify(lowered);
  // Providers with convolutions of their own rearrange transpositions themselves, where no Reshape is between.
  if (target.convolution === "native") return simple;
  return rewrite(simple, (original, inputs) => {
    const node = withInputs(original, inputs);
    return (is(transposeOp, node) && lowerTranspose(node, context)) || node;
  });
}
