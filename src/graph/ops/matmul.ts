import { ShapeError } from "../../util/errors.ts";
import { broadcastShapes, showShape, sizeOf } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { sumTo } from "./reduce.ts";

export interface MatmulAttrs {
  readonly transA: boolean;
  readonly transB: boolean;
}

/** Batched matrix product over the last two axes, either operand transposed there; leading axes broadcast. */
export const matmulOp = defineOp<MatmulAttrs>({
  name: "matmul",
  shape: (inputs, { transA, transB }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (a.shape.length < 2 || b.shape.length < 2)
      throw new ShapeError(
        `matmul: ${showShape(a.shape)} and ${showShape(b.shape)}, expected at least two axes each`,
        { a: a.shape, b: b.shape },
        "reshape a vector to a row or a column",
      );
    const [rows, innerA] = ends(a, transA);
    const [innerB, columns] = ends(b, transB);
    if (innerA !== innerB)
      throw new ShapeError(
        `matmul: inner sizes ${innerA} and ${innerB} differ (${show(a, transA)} times ${show(b, transB)})`,
        { a: a.shape, b: b.shape, transA, transB },
      );
    return [...broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  },
  multiplications: (inputs, { transA, transB }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    const leading = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return sizeOf([...leading, ...ends(a, transA), ends(b, transB)[1]]);
  },
  vjp: ({ g, inputs, attrs: { transA, transB } }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    const da = () => (transA ? matmul(b, g, { transA: transB, transB: true }) : matmul(g, b, { transB: !transB }));
    const db = () => (transB ? matmul(g, a, { transA: true, transB: transA }) : matmul(a, g, { transA: !transA }));
    return [() => sumTo(da(), a.shape), () => sumTo(db(), b.shape)];
  },
  emit: (emitter, inputs, node, { transA, transB }) => {
    const [a, b] = node.inputs as [Tensor, Tensor];
    if (a.shape.length === 2 && b.shape.length === 2)
      return transA || transB
        ? emitter.node("Gemm", inputs, { transA: Number(transA), transB: Number(transB) })
        : emitter.node("MatMul", inputs);
    if (!transA && !transB) return emitter.node("MatMul", inputs);
    if (emitter.target.contrib && node.dtype === "f32")
      return emitter.node("FusedMatMul", inputs, { transA: Number(transA), transB: Number(transB) }, "com.microsoft");
    const flip = (name: string, x: Tensor) =>
      emitter.node("Transpose", [name], { perm: lastTwoSwapped(x.shape.length) });
    return emitter.node("MatMul", [
      transA ? flip(inputs[0]!, a) : inputs[0]!,
      transB ? flip(inputs[1]!, b) : inputs[1]!,
    ]);
  },
  samples: [
    sample({ transA: false, transB: false }, [3, 4], [4, 5]),
    sample({ transA: true, transB: false }, [4, 3], [4, 5]),
    sample({ transA: false, transB: true }, [3, 4], [5, 4]),
    sample({ transA: true, transB: true }, [4, 3], [5, 4]),
    sample({ transA: false, transB: true }, [2, 3, 4], [2, 5, 4]),
    sample({ transA: true, transB: false }, [2, 1, 4, 3], [5, 4, 2]),
    sample({ transA: false, transB: false }, [1, 1], [1, 1]),
  ],
});

const ends = (x: Tensor, transposed: boolean): [number, number] => {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};
const show = (x: Tensor, transposed: boolean) => `${showShape(x.shape)}${transposed ? " transposed" : ""}`;
const lastTwoSwapped = (rank: number) =>
  Array.from({ length: rank }, (_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));

/**
 * Matrix product a [..., n, k] · b [..., k, m] as [..., n, m]. `transA` and `transB` swap the last two axes first; the
 * leading axes broadcast.
 *
 * @throws ShapeError where the inner sizes differ, or an operand has fewer than two axes
 * @example
 * ```ts
 * const f = await compile(({ a, b }) => ({ c: matmul(a, b) }), { a: { shape: [1, 2] }, b: { shape: [2, 2] } });
 * console.log((await f.run({ a: [1, 2], b: [3, 4, 5, 6] })).c); // [13, 16]
 * ```
 */
export const matmul = (a: Tensor, b: Tensor, { transA = false, transB = false }: Partial<MatmulAttrs> = {}): Tensor =>
  apply(matmulOp, [a, b], { transA, transB });
