import { EigenvalueDecomposition, Matrix } from "ml-matrix";

export interface SmallEigen {
  /** Smallest first. */
  readonly values: readonly number[];
  /** vectors[i] belongs to values[i]. */
  readonly vectors: readonly (readonly number[])[];
}

/** Eigenpairs of the symmetric tridiagonal matrix with this diagonal, and `beta[i]` between i and i + 1. */
export function tridiagonalEigen(alpha: readonly number[], beta: readonly number[]): SmallEigen {
  const m = alpha.length;
  const T = Matrix.zeros(m, m);
  for (let i = 0; i < m; i++) {
    T.set(i, i, alpha[i]!);
    if (i + 1 < m) {
      T.set(i, i + 1, beta[i]!);
      T.set(i + 1, i, beta[i]!);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(T, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  return {
    values: order.map((i) => realEigenvalues[i]!),
    vectors: order.map((i) => eigenvectorMatrix.getColumn(i)),
  };
}
