import { ShapeError } from "../../util/errors.ts";
import { type Shape, showShape } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { reshape } from "./reshape.ts";

/** Rows of a table [n, …] at positions that are computed, i32 [k]; `take` is for positions that are known. ONNX Runtime refuses those out of range. */
export const gatherOp = defineOp({
  name: "gather",
  shape: ([table, at]) => {
    if (table!.shape.length === 0 || at!.shape.length !== 1 || at!.dtype !== "i32")
      throw new ShapeError(
        `gather: a table ${showShape(table!.shape)} at ${at!.dtype} ${showShape(at!.shape)}, expected rows and i32 positions`,
        { table: table!.shape, at: at!.shape, dtype: at!.dtype },
      );
    return [at!.shape[0]!, ...table!.shape.slice(1)];
  },
  vjp: ({ g, inputs: [table, at] }) => [() => scatterAdd(g, at!, table!.shape[0]!), null],
  emit: (emitter, [table, at], node) => {
    // ONNX counts negative positions from the end; here they are refused, as those beyond it are.
    const length = emitter.constant(node.inputs[0]!.shape[0]!, [], "i32");
    const negative = emitter.node("Less", [at!, emitter.constant(0, [], "i32")]);
    return emitter.node("Gather", [table!, emitter.node("Where", [negative, length, at!])], { axis: 0 });
  },
  samples: [sample({}, [5, 3], [4]), sample({}, [6, 2, 2], [7])],
});

/** The adjoint: rows [k, …] added onto the rows of zeros [length, …] that i32 positions [k] name. */
export const scatterAddOp = defineOp<{ readonly length: number }>({
  name: "scatterAdd",
  shape: ([rows], { length }) => [length, ...rows!.shape.slice(1)],
  vjp: ({ g, inputs: [, at] }) => [() => gather(g, at!), null],
  emit: (emitter, [rows, at], node) => {
    const shape = node.inputs[0]!.shape;
    const column: Shape = [shape[0]!, ...shape.slice(1).map(() => 1)];
    const everywhere = emitter.node("Expand", [
      emitter.node("Reshape", [at!, emitter.shape(column)]),
      emitter.shape(shape),
    ]);
    const zeros = emitter.constant(0, node.shape, node.dtype);
    return emitter.node("ScatterElements", [zeros, everywhere, rows!], { axis: 0, reduction: "add" });
  },
  samples: [sample({ length: 5 }, [4, 3], [4]), sample({ length: 7 }, [6, 2, 2], [6])],
});

const scatterAdd = (rows: Tensor, at: Tensor, length: number): Tensor => apply(scatterAddOp, [rows, at], { length });

/**
 * Rows of a table [n, …] at i32 positions of any shape, as [...positions, …]: the lookup of an embedding. Positions outside 0 … n − 1 end the run
 * with ONNX Runtime's error.
 *
 * @throws ShapeError where the positions are not i32
 * @example
 * ```ts
 * const f = await compile(({ table, at }) => ({ rows: gather(table, at) }), {
 *   table: { shape: [3, 1] },
 *   at: { shape: [4], dtype: "i32" },
 * });
 * console.log((await f.run({ table: [5, 6, 7], at: [2, 0, 0, 1] })).rows); // [7, 5, 5, 6]
 * ```
 */
export const gather = (table: Tensor, at: Tensor): Tensor =>
  reshape(apply(gatherOp, [table, reshape(at, [-1])], {}), [...at.shape, ...table.shape.slice(1)]);
