import { type EigenPair, type Extremes, relativeTo } from "./extremes.ts";
import type { SymmetricOperator } from "./operator.ts";
import { symmetricEigen } from "./tridiagonal.ts";
import { addScaled, inner, length, type Vector, zeros } from "./vectors.ts";

/**
 * The best pairs that the span of orthonormal vectors V holds: eigenpairs of VᵀHV. Each residual ‖Hv − λv‖/|λ| is measured, by one product
 * per vector, because an iteration's estimate trusts its own orthogonality.
 */
export async function rayleighRitz(
  operator: SymmetricOperator,
  { top, bottom }: Pick<Extremes, "top" | "bottom">,
): Promise<Pick<Extremes, "top" | "bottom">> {
  const vectors = [...top, ...bottom].map(({ vector }) => vector);
  if (vectors.length === 0) return { top, bottom };
  const images = await Promise.all(vectors.map((v) => operator.apply(v)));
  const small = symmetricEigen(
    vectors.map((v, i) => vectors.map((w, j) => (inner(v, images[j]!) + inner(w, images[i]!)) / 2)),
  );
  const pairs = small.values.map((eigenvalue, k): EigenPair => {
    const vector = combined(vectors, small.vectors[k]!, operator);
    const error = combined(images, small.vectors[k]!, operator);
    addScaled(error, -eigenvalue, vector);
    return { eigenvalue, vector, residual: relativeTo(eigenvalue, length(error)) };
  });
  return { top: pairs.toReversed().slice(0, top.length), bottom: pairs.slice(0, bottom.length) };
}

function combined(vectors: readonly Vector[], s: readonly number[], { dim, dtype }: SymmetricOperator): Vector {
  const result = zeros(dim, dtype);
  for (const [i, v] of vectors.entries()) addScaled(result, s[i]!, v);
  return result;
}
