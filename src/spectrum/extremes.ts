import type { Rng } from "../util/rng.ts";
import { ConfigError } from "../util/errors.ts";
import { combine, type Krylov, lanczos, ritz } from "./lanczos.ts";
import type { SymmetricOperator } from "./operator.ts";
import { gaussian, type Vector } from "./vectors.ts";

export interface EigenPair {
  readonly eigenvalue: number;
  /** Unit. */
  readonly vector: Vector;
  /** ‖Hv − λv‖/|λ| as the iteration estimates it; |λ| times this bounds the distance to an eigenvalue. */
  readonly residual: number;
}

export interface Extremes {
  /** Largest first. */
  readonly top: readonly EigenPair[];
  /** Smallest first. */
  readonly bottom: readonly EigenPair[];
  readonly products: number;
  /** Whether the iteration believes every residual to be below the tolerance, or of the size of rounding where λ is near zero. */
  readonly converged: boolean;
}

export interface ExtremesOptions {
  readonly top: number;
  readonly bottom: number;
  /** Largest residual of a converged pair, relative to its eigenvalue. */
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly random: Rng;
  /** Where to start; left out, a random direction. */
  readonly start?: Vector;
  readonly onProduct?: (done: number, krylov: Krylov) => void;
}

/**
 * The `top` largest and `bottom` smallest signed eigenvalues and their vectors, from one Lanczos iteration. A Krylov space holds
 * one vector of a multiple eigenvalue; `furtherCopies` looks for the others.
 */
export async function extremeEigenpairs(operator: SymmetricOperator, options: ExtremesOptions): Promise<Extremes> {
  const { top, bottom, tolerance, maxProducts, random, onProduct } = options;
  const { dim: size, dtype } = operator;
  const wanted = top + bottom;
  if (wanted > size)
    throw new ConfigError(
      `${top} largest and ${bottom} smallest eigenvalues were asked for, but the matrix has ${size}`,
      { top, bottom, size },
      "ask for fewer",
    );
  if (maxProducts < wanted)
    throw new ConfigError(
      `${maxProducts} products do not give ${wanted} eigenvalues`,
      { maxProducts, top, bottom },
      "allow one for each eigenvalue at least, and ten more for accuracy",
    );
  const start = options.start ?? gaussian(size, dtype, random);
  const done = (krylov: Krylov) => {
    const rounding = roundingOf(dtype, Math.max(...krylov.alpha.map(Math.abs), ...krylov.beta));
    const settled = settledAt(tolerance, rounding);
    return ends(krylov, top, bottom).every(({ eigenvalue, bound }) => settled(eigenvalue, bound));
  };
  const krylov = await lanczos(operator, {
    start,
    steps: maxProducts,
    random,
    enough: (sofar) => {
      onProduct?.(sofar.alpha.length, sofar);
      // Twice as many as wanted, so that none is taken for an outer one that has not shown yet.
      return sofar.alpha.length >= Math.min(size, 2 * wanted) && done(sofar);
    },
  });
  const found = outerPairs(krylov, top, bottom);
  return { ...found, products: krylov.basis.length, converged: done(krylov) };
}

/** The outer Ritz pairs of a Krylov space; of one that is small, as many as there are. */
export function outerPairs(krylov: Krylov, top: number, bottom: number): Pick<Extremes, "top" | "bottom"> {
  const size = krylov.alpha.length;
  const largest = Math.min(top, size);
  const pairs = ends(krylov, largest, Math.min(bottom, size - largest)).map(
    ({ eigenvalue, bound, s }): EigenPair => ({
      eigenvalue,
      residual: relativeTo(eigenvalue, bound),
      vector: combine(krylov.basis, s),
    }),
  );
  return { top: pairs.slice(0, largest), bottom: pairs.slice(largest) };
}

/** Accuracy of a product, relative to ‖H‖: no product is better, so the residual of an eigenvalue near zero cannot be. */
const ROUNDING = { f32: 1e-5, f64: 1e-12 } as const;

/** The size of rounding in products by a matrix of norm `scale`. */
export const roundingOf = (dtype: SymmetricOperator["dtype"], scale: number): number => ROUNDING[dtype] * scale;

/** Whether an iteration leaves an eigenvalue with ‖Hv − λv‖ ≤ `bound` as it is: at the tolerance, or where it meets rounding. */
export const settledAt =
  (tolerance: number, rounding: number) =>
  (eigenvalue: number, bound: number): boolean =>
    bound <= Math.max(tolerance * Math.abs(eigenvalue), rounding);

/** A length relative to |λ|; to the smallest number where λ is 0. */
export const relativeTo = (eigenvalue: number, size: number): number =>
  size / Math.max(Math.abs(eigenvalue), Number.MIN_VALUE);

/** The outer Ritz values: largest first, then smallest first. */
function ends(krylov: Krylov, top: number, bottom: number) {
  const { values, vectors, bounds } = ritz(krylov);
  const m = values.length;
  const indices = [...Array.from({ length: top }, (_, i) => m - 1 - i), ...Array.from({ length: bottom }, (_, i) => i)];
  return indices.map((i) => ({ eigenvalue: values[i]!, s: vectors[i]!, bound: bounds[i]! }));
}
