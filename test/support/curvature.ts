import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { SymmetricOperator } from "../../src/spectrum/operator.ts";
import { unitVectors } from "../../src/spectrum/trace.ts";
import { inner, type Vector } from "../../src/spectrum/vectors.ts";
import { empiricalLoss, type LossArgs, type LossBatch } from "../../src/train/empirical-loss.ts";
import type { EmpiricalLoss } from "../../src/train/streamed.ts";
import { losses } from "../../src/nn/losses.ts";
import type { Network } from "../../src/nn/scope.ts";
import type { Task } from "../../src/train/task.ts";
import type { Shape } from "../../src/util/shape.ts";

/** A symmetric matrix of given rows, as an operator. */
export const operatorOf = (rows: readonly ArrayLike<number>[]): SymmetricOperator => ({
  dim: rows.length,
  dtype: "f64",
  apply: async (v) => Float64Array.from(rows, (row) => inner(v, Float64Array.from(row))),
});

/** All entries of an operator, column by column. */
export const denseOf = (operator: SymmetricOperator): Promise<Vector[]> =>
  Promise.all(unitVectors(operator).map((e) => operator.apply(e)));

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
  readonly inputShape: Shape;
  readonly classes: number;
  readonly batches: readonly LossBatch[];
  readonly buffers?: Vector;
}

/** The loss of a network of the tests, on images that are used as they are. */
export function lossOf(
  { network, inputShape, classes, batches, buffers }: Problem,
  {
    bn = "batch",
    dtype = "f64",
    labelSmoothing = 0,
  }: Partial<Pick<LossArgs, "bn" | "dtype"> & Pick<Task, "labelSmoothing">> = {},
): EmpiricalLoss {
  const targets = { kind: "labels", classes } as const;
  const format = { targets, inputShape, mean: [0], std: [1], dtype: "f32" } as const;
  return empiricalLoss({
    task: { format, network, loss: losses["cross-entropy"], labelSmoothing },
    buffers: buffers ?? (dtype === "f64" ? new Float64Array(1) : new Float32Array(1)),
    batches,
    bn,
    dtype,
    device: "cpu",
    threads: 1,
  });
}

/** The quadratic ½θᵀH_bθ of each mini-batch b, one example each: a loss whose Hessians are known. */
export function matrixLoss(
  matrices: readonly (readonly ArrayLike<number>[])[],
  dtype: "f32" | "f64" = "f64",
): EmpiricalLoss {
  const size = matrices[0]!.length;
  const all = matrices.map((_, i) => i);
  const apply = async (v: Vector, of: readonly number[]): Promise<Vector> => {
    const sum = new Float64Array(size);
    for (const b of of)
      for (const [i, row] of matrices[b]!.entries()) sum[i]! += inner(v, row as Float64Array) / of.length;
    return dtype === "f64" ? sum : Float32Array.from(sum);
  };
  const quadratic = async (theta: Vector) => inner(theta, await apply(theta, all)) / 2;
  return {
    ...{ size, dtype, images: matrices.length, batches: matrices.length, loss: quadratic },
    lossAndGradient: async (theta) => {
      const gradient = await apply(theta, all);
      return { loss: await quadratic(theta), gradient, gradNorm: Math.sqrt(inner(gradient, gradient)) };
    },
    hessian: (_, of = all) => ({ dim: size, dtype, apply: (v) => apply(v, of) }),
    weightOf: (of) => of.length / matrices.length,
    quotients: async (_, v, of) =>
      Promise.all(of.map(async (b) => ({ value: inner(v, await apply(v, [b])), weight: 1 / matrices.length }))),
    release: async () => undefined,
  };
}

/** Eigenpairs of a dense symmetric matrix, largest first. */
export function densePairs(rows: readonly ArrayLike<number>[]): { value: number; vector: Float64Array }[] {
  const matrix = new Matrix(rows.map((row) => [...Array.from(row)]));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  return realEigenvalues
    .map((value, i) => ({ value, vector: Float64Array.from(eigenvectorMatrix.getColumn(i)) }))
    .sort((a, b) => b.value - a.value);
}
