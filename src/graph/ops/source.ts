import { ShapeError } from "../../util/errors.ts";
import { type Shape, showShape, sizeOf } from "../../util/shape.ts";
import { apply, attrsOf, defineOp } from "../op.ts";
import type { ConstantData, DType, Operand, Tensor } from "../tensor.ts";

export interface InputAttrs {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface ConstantAttrs {
  readonly data: ConstantData;
  readonly shape: Shape;
  readonly dtype: DType;
}

export const inputOp = defineOp<InputAttrs>({
  name: "input",
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  vjp: () => [],
  emit: (emitter, _, node, { name }) => emitter.input(name, node),
  samples: [],
});

export const constantOp = defineOp<ConstantAttrs>({
  name: "constant",
  shape: (_, { shape, data }) => {
    if (typeof data !== "number" && data.length !== sizeOf(shape))
      throw new ShapeError(`constant: ${data.length} numbers do not fill shape ${showShape(shape)}`, { shape });
    return shape;
  },
  dtype: (_, { dtype }) => dtype,
  vjp: () => [],
  emit: (emitter, _, __, { data, shape, dtype }) => emitter.constant(data, shape, dtype),
  samples: [],
});

/**
 * A tensor that is fed at run time, under a name. Its shape is static; {@link compile} makes the inputs itself.
 *
 * @example
 * ```ts
 * const theta = input("theta", [10]);
 * const f = await compile(({ x }) => ({ y: sum(x) }), { x: { shape: [2] } });
 * console.log(theta.shape, (await f.run({ x: [1, 2] })).y); // [10] [3]
 * ```
 */
export const input = (name: string, shape: Shape, dtype: DType = "f32"): Tensor =>
  apply(inputOp, [], { name, shape, dtype });

/**
 * A tensor that is fixed in the graph: one number for every element, or one each in row-major order. Do not change the
 * array later.
 *
 * @throws ShapeError where the numbers do not fill the shape
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: mul(x, constant(Float32Array.of(1, 10), [2])) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4] })).y); // [3, 40]
 * ```
 */
export const constant = (data: ConstantData, shape: Shape, dtype: DType = "f32"): Tensor =>
  apply(constantOp, [], { data, shape, dtype });

/**
 * A constant of shape []. Operations on two operands take a plain number as well.
 *
 * @example
 * ```ts
 * console.log(scalar(2, "f64").dtype); // f64
 * ```
 */
export const scalar = (value: number, dtype: DType): Tensor => constant(value, [], dtype);

/** A number becomes a scalar of the dtype of `like`; a tensor stays. */
export const lift = (value: Operand, like: Tensor): Tensor =>
  typeof value === "number" ? scalar(value, like.dtype) : value;

/** The one number that fills a constant node, or undefined. */
export function uniformValue(node: Tensor): number | undefined {
  const data = attrsOf(constantOp, node)?.data;
  return typeof data === "number" ? data : data?.length === 1 ? data[0] : undefined;
}
