import { inner, length, type Vector } from "./vectors.ts";

/** |cos(u, v)|; 0 where one of them is zero. */
export function alignment(u: Vector, v: Vector): number {
  const norms = length(u) * length(v);
  return norms === 0 ? 0 : Math.abs(inner(u, v)) / norms;
}

/** cos² of the angle between u and the span of orthonormal vectors: Σ⟨u, vᵢ⟩²/‖u‖². */
export function subspaceAlignment(u: Vector, basis: readonly Vector[]): number {
  const square = inner(u, u);
  return square === 0 ? 0 : basis.reduce((sum, v) => sum + inner(u, v) ** 2, 0) / square;
}
