import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { SymmetricOperator } from "../../src/spectrum/operator.ts";
import { unitVectors } from "../../src/spectrum/trace.ts";
import { inner, type Vector } from "../../src/spectrum/vectors.ts";
import { type EmpiricalLoss, empiricalLoss, type LossArgs, type LossBatch } from "../../src/curvature/hessian.ts";
import { declare, type Network } from "../../src/nn/scope.ts";

/** A symmetric matrix of given rows, as an operator. */
export const operatorOf = (rows: readonly ArrayLike<number>[]): SymmetricOperator => ({
  size: rows.length,
  dtype: "f64",
  product: async (v) => Float64Array.from(rows, (row) => inner(v, Float64Array.from(row))),
});

/** All entries of an operator, column by column. */
export const denseOf = (operator: SymmetricOperator): Promise<Vector[]> =>
  Promise.all(unitVectors(operator).map((e) => operator.product(e)));

export interface Dense {
  /** Largest first. */
  readonly eigenvalues: readonly number[];
  readonly trace: number;
  readonly frobenius: number;
}

export function denseNumbers(rows: readonly ArrayLike<number>[]): Dense {
  const matrix = new Matrix(rows.map((row) => [...Array.from(row)]));
  const symmetric = Matrix.add(matrix, matrix.transpose()).mul(0.5);
  const { realEigenvalues } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  return {
    eigenvalues: realEigenvalues.toSorted((a, b) => b - a),
    trace: matrix.trace(),
    frobenius: matrix.norm("frobenius"),
  };
}

interface Problem {
  readonly network: Network;
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  readonly batches: readonly LossBatch[];
  readonly buffers?: Vector;
}

/** The loss of a network of the tests, on images that are used as they are. */
export function lossOf(
  { network, imageShape, classes, batches, buffers }: Problem,
  options: Partial<Pick<LossArgs, "bn" | "dtype" | "labelSmoothing">> = {},
): EmpiricalLoss {
  const format = { classes, imageShape, mean: [0], std: [1], pixels: "f32" } as const;
  const dtype = options.dtype ?? "f64";
  return empiricalLoss({
    modelFor: (rows) => declare(network, [rows, ...imageShape]),
    format,
    buffers: buffers ?? (dtype === "f64" ? new Float64Array(1) : new Float32Array(1)),
    batches,
    bn: options.bn ?? "batch",
    labelSmoothing: options.labelSmoothing ?? 0,
    dtype,
    device: "cpu",
    threads: 1,
  });
}
