import { dtypes } from "../../util/dtype.ts";
import { ShapeError } from "../../util/errors.ts";
import { broadcastShapes, type Shape } from "../../util/shape.ts";
import { apply, defineOp } from "../op.ts";
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
      { shapes: [[3, 4], [4]], attrs: {}, domain: "distinct" },
      {
        shapes: [
          [2, 2],
          [2, 2],
        ],
        attrs: {},
        domain: "distinct",
      },
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
  samples: [
    {
      shapes: [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
      attrs: {},
    },
    { shapes: [[3, 1], [4], [3, 4]], attrs: {} },
  ],
});

/** Conversion; between f32 and f64 it is differentiable. */
export const castOp = defineOp<{ readonly to: DType }>({
  name: "cast",
  shape: ([x]) => x!.shape,
  dtype: (_, { to }) => to,
  vjp: ({ g, inputs: [x] }) => [isFloat(x!.dtype) && isFloat(g.dtype) ? () => cast(g, x!.dtype) : null],
  emit: (emitter, [x], _, { to }) => emitter.node("Cast", [x!], { to: dtypes[to].onnx }),
  samples: [{ shapes: [[2, 3]], attrs: { to: "f64" } }],
});

const compare =
  (op: typeof greaterOp) =>
  (a: Operand, b: Operand): Tensor => {
    const like = (typeof a === "number" ? b : a) as Tensor;
    return apply(op, [lift(a, like), lift(b, like)], {});
  };
export const greater = compare(greaterOp);
export const greaterEqual = compare(greaterEqualOp);
export const equal = compare(equalOp);

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

export const cast = (x: Tensor, to: DType): Tensor => (x.dtype === to ? x : apply(castOp, [x], { to }));

/** Labels [...] of class indices → [..., classes] with a 1 at each label; a label out of range gives a row of zeros. */
export function oneHot(labels: Tensor, classes: number, dtype: DType = "f32"): Tensor {
  const shape: Shape = [...labels.shape, 1];
  const indices = constant(
    Int32Array.from({ length: classes }, (_, i) => i),
    [classes],
    "i32",
  );
  return cast(equal(cast(reshape(labels, shape), "i32"), indices), dtype);
}
