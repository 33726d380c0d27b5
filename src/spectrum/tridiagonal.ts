import { EigenvalueDecomposition, Matrix } from "ml-matrix";

export interface SmallEigen {
  /** Smallest first. */
  readonly values: readonly number[];
  /** vectors[i] belongs to values[i]. */
  readonly vectors: readonly (readonly number[])[];
}

/** Eigenpairs of the symmetric tridiagonal matrix with this diagonal, and `beta[i]` between i and i + 1. */
export function tridiagonalEigen(alpha: readonly number[], beta: readonly number[]): SmallEigen {
  const T = Matrix.diag([...alpha]);
  for (let i = 0; i + 1 < alpha.length; i++) {
    T.set(i, i + 1, beta[i]!);
    T.set(i + 1, i, beta[i]!);
  }
  return symmetricEigen(T);
}

/** Eigenpairs of a small symmetric matrix. */
export function symmetricEigen(matrix: Matrix | number[][]): SmallEigen {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  return {
    values: order.map((i) => realEigenvalues[i]!),
    vectors: order.map((i) => eigenvectorMatrix.getColumn(i)),
  };
}
