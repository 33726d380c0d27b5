import type { dtypes } from "../util/dtype.ts";
import type { Shape } from "../util/shape.ts";

/** f32 and f64 are differentiable; i32 carries labels, u8 images, bool comparisons. */
export type DType = keyof typeof dtypes;

/** The dtypes that can be differentiated. */
export type FloatDType = "f32" | "f64";

/** The numbers that fill a constant: one for all elements, or one each. */
export type ConstantData = number | Float64Array | Float32Array | Int32Array;

/**
 * A node of the symbolic graph: the result of `op` on `inputs`. Immutable, without identity beyond the object itself,
 * with static shape and dtype. Nothing is computed until a runtime compiles the graph.
 */
export interface Tensor {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: unknown;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What binary operations take: a number stands for a scalar constant of the other operand's dtype. */
export type Operand = Tensor | number;

/** The arguments of a vector-Jacobian product: the cotangent `g` of `out`, and how `out` was made. */
export interface VjpArgs<A> {
  readonly g: Tensor;
  readonly out: Tensor;
  readonly inputs: readonly Tensor[];
  readonly attrs: A;
}

/** The cotangent of one input, made on demand; null where the op is constant (or not differentiable) in it. */
export type Cotangent = (() => Tensor) | null;

/** How test tables draw the inputs of a sample; the default is a smooth interval away from kinks. */
export type Domain = "any" | "positive" | "distinct" | "label";

/** One case for the table-driven tests. */
export interface Sample<A> {
  readonly shapes: readonly Shape[];
  readonly attrs: A;
  readonly domain?: Domain;
}

/** Everything about an operation: shape rule, derivative, constant folding, ONNX form and test cases stand together. */
export interface Op<A = unknown> {
  readonly name: string;
  shape(inputs: readonly Tensor[], attrs: A): Shape;
  /** Result dtype; left out, that of the first input. */
  dtype?(inputs: readonly Tensor[], attrs: A): DType;
  vjp(args: VjpArgs<A>): readonly Cotangent[];
  emit(emitter: Emitter, inputs: readonly string[], node: Tensor, attrs: A): string;
  readonly samples: readonly Sample<A>[];
  /** Each element of the result comes from one element of each operand; two operands broadcast against each other. */
  readonly elementwise?: boolean;
  /** Operands may change places. */
  readonly commutative?: boolean;
  /** The result on operands that are one number throughout; `simplify` then folds such constants. */
  readonly fold?: (a: number, b: number) => number;
  /** The result is its operand under another shape or name, in the same memory. */
  readonly view?: boolean;
  /** Multiplications that the definition takes, of products and convolutions; other ops do next to nothing beside them. */
  multiplications?(inputs: readonly Tensor[], attrs: A): number;
}

export type OnnxAttr = number | string | readonly number[] | { readonly float: number };

/** Where the graph will run, as far as lowering and emission must know. */
export interface Target {
  readonly device: "cpu" | "webgpu" | "cuda";
  /** How convolutions become ONNX: see docs/engine.md. */
  readonly convolution: "winograd" | "direct" | "native";
  /** Whether ONNX Runtime's own operators (com.microsoft) may be used besides the standard ones. */
  readonly contrib: boolean;
  /** Channels per block of ONNX Runtime's own convolution on this processor, which com.microsoft.nchwc names; left out where there is none. */
  readonly block?: number;
}

/** What an op's `emit` writes to: nodes are shared when type, inputs and attributes agree. */
export interface Emitter {
  readonly target: Target;
  /** Adds a node with one output and returns that output's name. */
  node(type: string, inputs: readonly string[], attrs?: Readonly<Record<string, OnnxAttr>>, domain?: string): string;
  /** An int64 vector constant (axes, shapes, starts). */
  ints(values: readonly number[]): string;
  /** An int64 vector that is the shape of a Reshape or Expand. */
  shape(values: readonly number[]): string;
  /** A constant of the given dtype; a number becomes a scalar. */
  constant(data: ConstantData, shape: readonly number[], dtype: DType): string;
  /** A named graph input. */
  input(name: string, node: Tensor): string;
}

export const isFloat = (dtype: DType): dtype is FloatDType => dtype === "f32" || dtype === "f64";
