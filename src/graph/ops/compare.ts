import { dtypes } from "../../util/dtype.ts";
import { ShapeError } from "../../util/errors.ts";
import { broadcastShapes, type Shape } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import { type DType, isFloat, type Operand, type Tensor } from "../tensor.ts";
import { sumTo } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { constant, lift, scalar } from "./source.ts";

function comparison(name: string, onnx: string) {
  return defineOp({
    name,
    shape: ([a, b]) => broadcastShapes(name, a!.shape, b!.shape),
    dtype: () => "bool",
    vjp: () => [null, null],
    emit: (emitter, inputs) => emitter.node(onnx, inputs),
    samples: [
      { ...sample({}, [3, 4], [4]), domain: "distinct" },
      { ...sample({}, [2, 2], [2, 2]), domain: "distinct" },
    ],
  });
}

export const greaterOp = comparison("greater", "Greater");
export const greaterEqualOp = comparison("greaterEqual", "GreaterOrEqual");
export const equalOp = comparison("equal", "Equal");

/** a where the condition holds, else b; all three broadcast. */
export const whereOp = defineOp({
  name: "where",
  shape: ([c, a, b]) => broadcastShapes("where", c!.shape, broadcastShapes("where", a!.shape, b!.shape)),
  dtype: ([, a]) => a!.dtype,
  vjp: ({ g, inputs }) => {
    const [c, a, b] = inputs as [Tensor, Tensor, Tensor];
    const zero = scalar(0, g.dtype);
    return [null, () => sumTo(where(c, g, zero), a.shape), () => sumTo(where(c, zero, g), b.shape)];
  },
  emit: (emitter, inputs) => emitter.node("Where", inputs),
  samples: [sample({}, [3, 4], [3, 4], [3, 4]), sample({}, [3, 1], [4], [3, 4])],
});

/** Conversion; between f32 and f64 it is differentiable. */
export const castOp = defineOp<{ readonly to: DType }>({
  name: "cast",
  shape: ([x]) => x!.shape,
  dtype: (_, { to }) => to,
  vjp: ({ g, inputs: [x] }) => [isFloat(x!.dtype) && isFloat(g.dtype) ? () => cast(g, x!.dtype) : null],
  emit: (emitter, [x], _, { to }) => emitter.node("Cast", [x!], { to: dtypes[to].onnx }),
  samples: [sample({ to: "f64" }, [2, 3])],
});

const compare =
  (op: typeof greaterOp) =>
  (a: Operand, b: Operand): Tensor => {
    const like = (typeof a === "number" ? b : a) as Tensor;
    return apply(op, [lift(a, like), lift(b, like)], {});
  };
/**
 * a > b, elementwise, as a bool tensor: cast it to compute with it. Shapes broadcast as {@link add}'s.
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: cast(greater(x, 0), "f32") }), { x: { shape: [3] } });
 * console.log((await f.run({ x: [-1, 0, 2] })).y); // [0, 0, 1]
 * ```
 */
export const greater = compare(greaterOp);
/** a ≥ b, elementwise (shapes, errors and example as {@link greater}). */
export const greaterEqual = compare(greaterEqualOp);
/** a = b, elementwise (shapes, errors and example as {@link greater}). */
export const equal = compare(equalOp);

/**
 * a where the bool tensor `condition` holds, else b. The three shapes broadcast.
 *
 * @throws ShapeError where the condition is not bool, or the shapes do not broadcast
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: where(greater(x, 0), x, mul(0.1, x)) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [-1, 2] })).y); // [-0.1, 2]
 * ```
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== "bool")
    throw new ShapeError(
      `where: the condition is ${condition.dtype}, expected bool`,
      {},
      "compare first: greater(x, 0)",
    );
  const like = (typeof a === "number" ? b : a) as Tensor;
  return apply(whereOp, [condition, lift(a, like), lift(b, like)], {});
}

/**
 * x converted to another dtype; between f32 and f64 it is differentiable.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: cast(cast(x, "i32"), "f32") }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [1.5, -2.5] })).y); // [1, -2]
 * ```
 */
export const cast = (x: Tensor, to: DType): Tensor => (x.dtype === to ? x : apply(castOp, [x], { to }));

/**
 * Labels […] of class indices as rows […, classes] with a 1 at each label; a label out of range gives zeros.
 *
 * @example
 * ```ts
 * const f = await compile(({ y }) => ({ rows: oneHot(y, 3) }), { y: { shape: [2], dtype: "i32" } });
 * console.log((await f.run({ y: [2, 0] })).rows); // [0, 0, 1, 1, 0, 0]
 * ```
 */
export function oneHot(labels: Tensor, classes: number, dtype: DType = "f32"): Tensor {
  const shape: Shape = [...labels.shape, 1];
  const indices = constant(
    Int32Array.from({ length: classes }, (_, i) => i),
    [classes],
    "i32",
  );
  return cast(equal(cast(reshape(labels, shape), "i32"), indices), dtype);
}
