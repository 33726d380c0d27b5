import { attrsOf } from "../graph/op.ts";
import { constantOp } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { executionOrder, lifetimes, peak } from "../onnx/plan/execution.ts";
import { lower } from "../onnx/lower/index.ts";
import { plan } from "../onnx/plan/plan.ts";
import { dtypes } from "../util/dtype.ts";
import { sizeOf } from "../util/shape.ts";
import type { CompileOptions } from "./compile.ts";
import { targetHere } from "./target-here.ts";

/** Memory that a graph takes while it runs, in bytes, by its plan. */
export interface GraphMemory {
  /** Intermediate values that are alive at once, at most. */
  readonly values: number;
  /** Inputs, constants, and outputs that are not written over inputs. */
  readonly vectors: number;
}

/** What `outputs` take when they are compiled with the same options. Nothing is loaded. */
export async function memoryOf(
  outputs: Readonly<Record<string, Tensor>>,
  options: CompileOptions,
): Promise<GraphMemory> {
  const target = await targetHere(Object.values(outputs), options);
  const names = Object.keys(outputs);
  const lowered = lower(Object.values(outputs), target).map((tensor, i) => ({ name: names[i]!, tensor }));
  // No buffers are kept beyond what is alive: that is decided by what is left of a limit.
  const planned = plan(lowered, target, { ...options, bufferBudget: 0 });
  const results = planned.outputs.map(({ tensor }) => tensor);
  const order = executionOrder(results);
  const bytes = (nodes: readonly Tensor[]) =>
    nodes.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * dtypes[dtype].bytes, 0);
  const overwritten = new Set(Object.values(options.inPlace ?? {}));
  for (const { output } of planned.copies) overwritten.delete(output);
  const own = names.filter((name) => !overwritten.has(name)).map((name) => outputs[name]!);
  const given = topological(results).filter(
    (node) => node.inputs.length === 0 && typeof attrsOf(constantOp, node)?.data !== "number",
  );
  return { values: peak(lifetimes(order, results), order.length).bytes, vectors: bytes([...given, ...own]) };
}
