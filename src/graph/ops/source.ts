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

/** A value fed at run time. `shape` is static. */
export const input = (name: string, shape: Shape, dtype: DType = "f32"): Tensor =>
  apply(inputOp, [], { name, shape, dtype });

/** A value fixed in the graph: one number for every element, or one each in row-major order. */
export const constant = (data: ConstantData, shape: Shape, dtype: DType = "f32"): Tensor =>
  apply(constantOp, [], { data, shape, dtype });

export const scalar = (value: number, dtype: DType): Tensor => constant(value, [], dtype);

/** A number becomes a scalar of the dtype of `like`; a tensor stays. */
export const lift = (value: Operand, like: Tensor): Tensor =>
  typeof value === "number" ? scalar(value, like.dtype) : value;

/** The one number that fills a constant node, or undefined. */
export function uniformValue(node: Tensor): number | undefined {
  const data = attrsOf(constantOp, node)?.data;
  return typeof data === "number" ? data : data?.length === 1 ? data[0] : undefined;
}
