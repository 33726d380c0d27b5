import type { EigenPair } from "./extremes.ts";
import { type SymmetricOperator, shifted } from "./operator.ts";
import { addScaled, inner, length, normalized, type Vector } from "./vectors.ts";

export interface PowerOptions {
  readonly start: Vector;
  /** Of ‖Hv − λv‖/|λ|. */
  readonly tolerance: number;
  readonly maxProducts: number;
}

export interface PowerOutcome extends EigenPair {
  readonly products: number;
  readonly converged: boolean;
}

/** v ← Hv/‖Hv‖ until the residual is small: the eigenvalue of largest absolute value (von Mises & Pollaczek-Geiringer 1929). */
export async function powerMethod(
  operator: SymmetricOperator,
  { start, tolerance, maxProducts }: PowerOptions,
): Promise<PowerOutcome> {
  let vector = normalized(start);
  for (let products = 1; ; products++) {
    const Hv = await operator.product(vector);
    const eigenvalue = inner(vector, Hv);
    const error = Hv.slice() as Vector;
    addScaled(error, -eigenvalue, vector);
    const residual = length(error) / Math.max(Math.abs(eigenvalue), Number.MIN_VALUE);
    const converged = residual <= tolerance;
    if (converged || products >= maxProducts) return { eigenvalue, vector, residual, products, converged };
    vector = normalized(Hv);
  }
}

/**
 * The largest *signed* eigenvalue by power iterations: if the one of largest absolute value, μ, is negative, those of H − μI are
 * all positive or zero and keep their order, so the iteration on that matrix finds λ₁ − μ.
 */
export async function largestEigenvalue(operator: SymmetricOperator, options: PowerOptions): Promise<PowerOutcome> {
  const first = await powerMethod(operator, options);
  if (first.eigenvalue >= 0) return first;
  const mu = first.eigenvalue;
  // The residual of the shifted problem is relative to λ₁ − μ; that of λ₁ itself is what was asked for, so it is asked again.
  const second = await powerMethod(shifted(operator, -mu), { ...options, tolerance: options.tolerance / 10 });
  const eigenvalue = second.eigenvalue + mu;
  const absolute = second.residual * second.eigenvalue;
  const residual = absolute / Math.max(Math.abs(eigenvalue), Number.MIN_VALUE);
  return {
    eigenvalue,
    vector: second.vector,
    residual,
    products: first.products + second.products,
    converged: residual <= options.tolerance,
  };
}
