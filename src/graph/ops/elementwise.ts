import { dtypes } from "../../util/dtype.ts";
import { broadcastShapes } from "../../util/shape.ts";
import { apply, defineOp, type Op, type Sample, sample } from "../op.ts";
import type { Operand, Tensor } from "../tensor.ts";
import { withLongRuns } from "./broadcast-run.ts";
import { emitErf } from "./erf.ts";
import { sumTo } from "./reduce.ts";
import { lift } from "./source.ts";

const pairs: Sample<Record<string, never>>[] = [
  sample({}, [3, 4], [3, 4]),
  sample({}, [2, 3, 4], [4]),
  sample({}, [3, 1], [2, 1, 4]),
  sample({}, [], [2, 3]),
  sample({}, [1, 1], [1, 1]),
];
const positivePairs = pairs.map((s) => ({ ...s, domain: "positive" as const }));
const distinctPairs = pairs.map((s) => ({ ...s, domain: "distinct" as const }));

type Partial2 = (args: { g: Tensor; a: Tensor; b: Tensor; out: Tensor }) => Tensor;

/** 1/n·n is meant to be 1, whatever n. */
const snap = (value: number): number => (Math.abs(value - 1) < 1e-12 ? 1 : value);

/** Elementwise with broadcasting; `da`, `db` are the cotangents before they are summed back to each operand's shape. */
function binary(
  name: string,
  onnx: string,
  samples: readonly Sample<Record<string, never>>[],
  fold: (a: number, b: number) => number,
  da: Partial2,
  db: Partial2,
) {
  return defineOp({
    name,
    elementwise: true,
    fold,
    commutative: name === "add" || name === "mul",
    shape: ([a, b]) => broadcastShapes(name, a!.shape, b!.shape),
    vjp: ({ g, out, inputs }) => {
      const [a, b] = inputs as [Tensor, Tensor];
      return [() => sumTo(da({ g, a, b, out }), a.shape), () => sumTo(db({ g, a, b, out }), b.shape)];
    },
    emit: (emitter, inputs, node) =>
      emitter.node(
        onnx,
        inputs.map((name, i) => withLongRuns(emitter, name, node.inputs[i]!.shape, node)),
      ),
    samples,
  });
}

export const addOp = binary(
  "add",
  "Add",
  pairs,
  (a, b) => a + b,
  ({ g }) => g,
  ({ g }) => g,
);
export const subOp = binary(
  "sub",
  "Sub",
  pairs,
  (a, b) => a - b,
  ({ g }) => g,
  ({ g }) => neg(g),
);
export const mulOp = binary(
  "mul",
  "Mul",
  pairs,
  (a, b) => snap(a * b),
  ({ g, b }) => mul(g, b),
  ({ g, a }) => mul(g, a),
);
export const divOp = binary(
  "div",
  "Div",
  positivePairs,
  (a, b) => snap(a / b),
  ({ g, b }) => div(g, b),
  ({ g, b, out }) => neg(div(mul(g, out), b)),
);
/** On a tie the first operand takes the cotangent (as a scan that keeps the first largest would). */
export const maximumOp = binary(
  "maximum",
  "Max",
  distinctPairs,
  Math.max,
  ({ g, a, b }) => sub(g, mul(g, heaviside(sub(b, a)))),
  ({ g, a, b }) => mul(g, heaviside(sub(b, a))),
);
export const minimumOp = binary(
  "minimum",
  "Min",
  distinctPairs,
  Math.min,
  ({ g, a, b }) => sub(g, mul(g, heaviside(sub(a, b)))),
  ({ g, a, b }) => mul(g, heaviside(sub(a, b))),
);

type Emit1 = Op<Record<string, never>>["emit"];
type Partial1 = (args: { g: Tensor; x: Tensor; out: Tensor }) => Tensor;

function unary(
  name: string,
  emit: string | Emit1,
  domain: NonNullable<Sample<unknown>["domain"]>,
  dx: Partial1 | null,
  fold?: (a: number) => number,
) {
  return defineOp({
    name,
    elementwise: true,
    ...(fold && { fold }),
    shape: ([x]) => x!.shape,
    vjp: ({ g, out, inputs: [x] }) => [dx && (() => dx({ g, x: x!, out }))],
    emit: typeof emit === "string" ? (emitter, inputs) => emitter.node(emit, inputs) : emit,
    samples: [
      { ...sample({}, [3, 5]), domain },
      { ...sample({}, [1]), domain },
      { ...sample({}, []), domain },
    ],
  });
}

export const negOp = unary(
  "neg",
  "Neg",
  "any",
  ({ g }) => neg(g),
  (a) => -a,
);
export const expOp = unary("exp", "Exp", "any", ({ g, out }) => mul(g, out), Math.exp);
export const logOp = unary("log", "Log", "positive", ({ g, x }) => div(g, x), Math.log);
export const sqrtOp = unary("sqrt", "Sqrt", "positive", ({ g, out }) => div(mul(g, 0.5), out), Math.sqrt);
/** x^(-1/2); d/dx = -½ (x^(-1/2))³. */
export const rsqrtOp = unary(
  "rsqrt",
  (emitter, [x]) => emitter.node("Reciprocal", [emitter.node("Sqrt", [x!])]),
  "positive",
  ({ g, out }) => mul(g, mul(-0.5, mul(out, mul(out, out)))),
  (a) => 1 / Math.sqrt(a),
);
export const reciprocalOp = unary(
  "reciprocal",
  "Reciprocal",
  "positive",
  ({ g, out }) => neg(mul(g, mul(out, out))),
  (a) => 1 / a,
);
export const tanhOp = unary("tanh", "Tanh", "any", ({ g, out }) => mul(g, sub(1, mul(out, out))));
export const sigmoidOp = unary("sigmoid", "Sigmoid", "any", ({ g, out }) => mul(g, mul(out, sub(1, out))));
/** erf(x) = 2/√π ∫₀ˣ exp(-t²) dt. */
export const erfOp = unary(
  "erf",
  (emitter, [x], node) => (node.dtype === "f64" ? emitErf(emitter, x!) : emitter.node("Erf", [x!])),
  "any",
  ({ g, x }) => mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))),
);
export const absOp = unary("abs", "Abs", "distinct", ({ g, x }) => mul(g, sign(x)));
export const signOp = unary("sign", "Sign", "distinct", null);
/** max(x, 0), with derivative 0 at 0. */
export const reluOp = unary("relu", "Relu", "distinct", ({ g, out }) => mul(g, heaviside(out)));
/**
 * 1 where x > 0, else 0. In f32 on the CPU it is one HardSigmoid with a huge slope: 0.9 ms per 33 MB against 1.7 ms for
 * Greater and Cast. That is exact for all normal numbers; a positive denormal below 3.4e-39 gives a fraction.
 */
export const heavisideOp = unary(
  "heaviside",
  (emitter, [x], node) =>
    node.dtype === "f32" && emitter.target.device === "cpu"
      ? emitter.node("HardSigmoid", [x!], { alpha: { float: 3e38 }, beta: { float: 0 } })
      : emitter.node("Cast", [emitter.node("Greater", [x!, emitter.constant(0, [], node.dtype)])], {
          to: dtypes[node.dtype].onnx,
        }),
  "distinct",
  null,
);
/** The identity, whose derivative is zero. */
export const stopGradientOp = { ...unary("stopGradient", (_, [x]) => x!, "any", null), view: true };

const call2 =
  (op: Op<Record<string, never>>) =>
  (a: Operand, b: Operand): Tensor => {
    const like = (typeof a === "number" ? b : a) as Tensor;
    return apply(op, [lift(a, like), lift(b, like)], {});
  };
const call1 =
  (op: Op<Record<string, never>>) =>
  (x: Tensor): Tensor =>
    apply(op, [x], {});

/**
 * a + b, elementwise. Shapes broadcast as NumPy's; a number stands for a scalar of the other operand's dtype.
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * ```ts
 * const f = await compile(({ x, y }) => ({ z: add(x, y) }), { x: { shape: [2, 2] }, y: { shape: [2] } });
 * const { z } = await f.run({ x: [1, 2, 3, 4], y: [10, 20] });
 * console.log(z); // [11, 22, 13, 24]
 * ```
 */
export const add = call2(addOp);
/** a − b, elementwise (shapes, errors and example as {@link add}). */
export const sub = call2(subOp);
/** a · b, elementwise (shapes, errors and example as {@link add}). */
export const mul = call2(mulOp);
/** a / b, elementwise (shapes, errors and example as {@link add}). */
export const div = call2(divOp);
/** The larger of a and b; on a tie, a takes the derivative, elementwise (shapes, errors and example as {@link add}). */
export const maximum = call2(maximumOp);
/**
 * The smaller of a and b; on a tie, a takes the derivative, elementwise (shapes, errors and example as {@link add}).
 */
export const minimum = call2(minimumOp);
/** −x, elementwise (shape and example as {@link exp}). */
export const neg = call1(negOp);
/**
 * eˣ, elementwise: the shape and dtype of x.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: exp(x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [0, 1] })).y); // [1, 2.7183]
 * ```
 */
export const exp = call1(expOp);
/** ln x; NaN where x < 0, elementwise (shape and example as {@link exp}). */
export const log = call1(logOp);
/** √x; NaN where x < 0, and the derivative at 0 is infinite, elementwise (shape and example as {@link exp}). */
export const sqrt = call1(sqrtOp);
/** 1/√x, elementwise (shape and example as {@link exp}). */
export const rsqrt = call1(rsqrtOp);
/** 1/x, elementwise (shape and example as {@link exp}). */
export const reciprocal = call1(reciprocalOp);
/** tanh x, elementwise (shape and example as {@link exp}). */
export const tanh = call1(tanhOp);
/** 1/(1 + e⁻ˣ), elementwise (shape and example as {@link exp}). */
export const sigmoid = call1(sigmoidOp);
/** 2/√π ∫₀ˣ e^(−t²) dt, the error function, elementwise (shape and example as {@link exp}). */
export const erf = call1(erfOp);
/** |x|, with derivative 0 at 0, elementwise (shape and example as {@link exp}). */
export const abs = call1(absOp);
/** −1, 0 or 1, with derivative 0 everywhere, elementwise (shape and example as {@link exp}). */
export const sign = call1(signOp);
/** max(x, 0), with derivative 0 at 0, elementwise (shape and example as {@link exp}). */
export const relu = call1(reluOp);
/** 1 where x > 0, else 0, with derivative 0 everywhere, elementwise (shape and example as {@link exp}). */
export const heaviside = call1(heavisideOp);
/** x itself, held constant by every derivative, elementwise (shape and example as {@link exp}). */
export const stopGradient = call1(stopGradientOp);
