import type { InputAttrs } from "../../src/graph/ops/source.ts";
import type { DType, Tensor } from "../../src/graph/tensor.ts";
import { topological } from "../../src/graph/walk.ts";
import { type CompileOptions, compileGraph } from "../../src/runtime/compile.ts";
import type { TypedArray } from "../../src/runtime/session.ts";
import type { Feeds } from "./reference.ts";

export function arrayOf(dtype: DType, values: ArrayLike<number>): TypedArray {
  switch (dtype) {
    case "f32":
      return Float32Array.from(values);
    case "f64":
      return Float64Array.from(values);
    case "i32":
      return Int32Array.from(values);
    default:
      return Uint8Array.from(values);
  }
}

/** The inputs that `outputs` depend on. */
export const inputsOf = (outputs: readonly Tensor[]): InputAttrs[] =>
  topological(outputs)
    .filter((node) => node.op.name === "input")
    .map((node) => node.attrs as InputAttrs);

/** The values of a graph by ONNX Runtime, in one session. Feeds are converted to each input's dtype. */
export async function runOn<K extends string>(
  outputs: Readonly<Record<K, Tensor>>,
  feeds: Feeds,
  options: CompileOptions = {},
): Promise<Record<K, TypedArray>> {
  const inputs = inputsOf(Object.values(outputs));
  const spec = Object.fromEntries(inputs.map(({ name, shape, dtype }) => [name, { shape, dtype }]));
  const executable = await compileGraph(outputs, spec, { threads: 1, ...options });
  const arrays = Object.fromEntries(inputs.map(({ name, dtype }) => [name, arrayOf(dtype, feeds[name]!)]));
  const results = await executable.run(arrays);
  await executable.release();
  return results as Record<K, TypedArray>;
}
