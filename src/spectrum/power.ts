import { type EigenPair, relativeTo } from "./extremes.ts";
import type { SymmetricOperator } from "./operator.ts";
import { addScaled, inner, length, normalized, type Vector } from "./vectors.ts";

export interface PowerOptions {
  readonly start: Vector;
  /** Largest residual ‖Hv − λv‖/|λ| of a converged vector. */
  readonly tolerance: number;
  readonly maxProducts: number;
}

export interface PowerOutcome extends EigenPair {
  readonly products: number;
  readonly converged: boolean;
}

/**
 * v ← Hv/‖Hv‖ until the residual is small: the eigenvalue of largest absolute value (von Mises & Pollaczek-Geiringer 1929). With
 * `shift` the iteration is on H + shift·I, and eigenvalue and residual are those of H.
 */
export async function powerMethod(
  operator: SymmetricOperator,
  { start, tolerance, maxProducts }: PowerOptions,
  shift = 0,
): Promise<PowerOutcome> {
  let vector = normalized(start);
  for (let products = 1; ; products++) {
    const Hv = await operator.apply(vector);
    const eigenvalue = inner(vector, Hv);
    const error = Hv.slice() as Vector;
    addScaled(error, -eigenvalue, vector);
    const residual = relativeTo(eigenvalue, length(error));
    const converged = residual <= tolerance;
    if (converged || products >= maxProducts) return { eigenvalue, vector, residual, products, converged };
    addScaled(Hv, shift, vector);
    vector = normalized(Hv);
  }
}

/**
 * The largest *signed* eigenvalue by power iterations: if the one of largest absolute value, μ, is negative, those of H − μI are
 * all positive or zero and keep their order, so the iteration on that matrix goes to λ₁. `maxProducts` counts both.
 */
export async function largestEigenvalue(operator: SymmetricOperator, options: PowerOptions): Promise<PowerOutcome> {
  const first = await powerMethod(operator, options);
  if (first.eigenvalue >= 0 || first.products >= options.maxProducts) return first;
  const left = { ...options, maxProducts: options.maxProducts - first.products };
  const second = await powerMethod(operator, left, -first.eigenvalue);
  return { ...second, products: first.products + second.products };
}
