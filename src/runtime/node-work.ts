import type { NodeTime } from "./session.ts";
import { sizeOf } from "../util/shape.ts";

/** A value's shape under its type: `{ float: [2, 3] }`. */
type TypeShape = Readonly<Record<string, readonly number[]>>;

/** What ONNX Runtime's trace says of a node; sizes are bytes in digits. */
export interface NodeArguments {
  readonly op_name: string;
  readonly input_type_shape: readonly TypeShape[];
  readonly output_type_shape: readonly TypeShape[];
  readonly activation_size: string;
  readonly parameter_size: string;
  readonly output_size: string;
}

/** These give their input another shape, and move nothing. */
const VIEWS = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);

const shapeOf = (value: TypeShape | undefined): readonly number[] => Object.values(value ?? {})[0] ?? [];

type Flop = (output: readonly number[], inputs: readonly (readonly number[])[]) => number;

/** 2·(numbers of the output)·(length of the sum); the sum is what is left of the first factor, which may be transposed. */
const product: Flop = (output, [first = []]) => (2 * sizeOf(output) * sizeOf(first.slice(-2))) / (output.at(-2) ?? 1);

/** 2·(numbers of the output)·(taps of one output channel). */
const convolution: Flop = (output, [, weight = []]) => 2 * sizeOf(output) * sizeOf(weight.slice(1));

const flopOf: Readonly<Record<string, Flop>> = {
  MatMul: product,
  FusedMatMul: product,
  Gemm: product,
  FusedGemm: product,
  Conv: convolution,
  FusedConv: convolution,
};

/**
 * Bytes and floating-point operations of one run of a node, from the shapes in ONNX Runtime's trace. Inputs are read once and outputs
 * written once, and of a larger table no more is read than is written: less than that cannot be moved, and caches may hold a part.
 */
export function workOf(node: NodeArguments): Pick<NodeTime, "bytes" | "flop"> {
  const [inputs, outputs] = [node.input_type_shape.map(shapeOf), node.output_type_shape.map(shapeOf)];
  const [read, written] = [Number(node.activation_size) + Number(node.parameter_size), Number(node.output_size)];
  const looksUp = node.op_name === "Gather" || node.op_name === "Slice";
  return {
    bytes: VIEWS.has(node.op_name) ? 0 : written + (looksUp ? Math.min(read, written) : read),
    flop: flopOf[node.op_name]?.(outputs[0] ?? [], inputs) ?? 0,
  };
}
