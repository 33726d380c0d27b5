import { InputError } from "../util/errors.ts";
import type { Rng } from "../util/rng.ts";
import type { SymmetricOperator } from "./operator.ts";
import { type SmallEigen, tridiagonalEigen } from "./tridiagonal.ts";
import { addScaled, gaussian, inner, length, normalized, orthogonalize, type Vector } from "./vectors.ts";

/** H·Q = Q·T + β·q·eᵀ: an orthonormal basis Q and the tridiagonal T = QᵀHQ. */
export interface Krylov {
  readonly basis: readonly Vector[];
  /** Diagonal of T. */
  readonly alpha: readonly number[];
  /** Off-diagonal of T; the last is the β of the remainder. */
  readonly beta: readonly number[];
}

export interface LanczosOptions {
  /** Any vector but zero. */
  readonly start: Vector;
  /** Products at most; no more than the dimension are ever made. */
  readonly steps: number;
  /** Draws a new direction where the space is exhausted before. */
  readonly random: Rng;
  /** Orthonormal vectors that the space is kept orthogonal to: the iteration is then that of PHP, P = I − VVᵀ. */
  readonly against?: readonly Vector[];
  /** Asked after every product; true ends the iteration. */
  readonly enough?: (krylov: Krylov) => boolean;
}

/** Relative to ‖T‖: a remainder this small is rounding, and the space is invariant. */
const EXHAUSTED = { f32: 1e-6, f64: 1e-13 } as const;

/**
 * The Lanczos iteration with full reorthogonalization (Paige 1972; Parlett 1980), one product per step and as many vectors in
 * memory. Where the space is exhausted it continues in a random direction orthogonal to it, so that after `size` steps the
 * spectrum is complete, multiple eigenvalues included.
 */
export async function lanczos(operator: SymmetricOperator, options: LanczosOptions): Promise<Krylov> {
  const { random, enough, against = [] } = options;
  const steps = Math.min(options.steps, operator.dim - against.length);
  const basis: Vector[] = [];
  const alpha: number[] = [];
  const beta: number[] = [];
  let q = orthogonalized(options.start, against);
  let scale = 0;
  for (let step = 0; step < steps; step++) {
    basis.push(q);
    const rest = await operator.apply(q);
    alpha.push(inner(q, rest));
    addScaled(rest, -alpha.at(-1)!, q);
    orthogonalize(rest, [...against, ...basis]);
    const remainder = length(rest);
    if (!Number.isFinite(alpha.at(-1)! + remainder))
      throw new InputError(
        `the product of H with vector ${step + 1} of the Krylov space is not finite`,
        { step, alpha: alpha.at(-1), remainder },
        "the loss overflows in its second derivative: measure with --dtype f64, or look at the weights",
      );
    scale = Math.max(scale, Math.abs(alpha.at(-1)!), remainder);
    const exhausted = remainder <= EXHAUSTED[operator.dtype] * scale;
    beta.push(exhausted ? 0 : remainder);
    if (enough?.({ basis, alpha, beta })) break;
    if (step + 1 < steps) q = exhausted ? freshDirection(operator, [...against, ...basis], random) : normalized(rest);
  }
  return { basis, alpha, beta };
}

function freshDirection({ dim: size, dtype }: SymmetricOperator, basis: readonly Vector[], random: Rng): Vector {
  return orthogonalized(gaussian(size, dtype, random), basis);
}

/** The direction of what is left of a vector without its parts along an orthonormal basis. */
function orthogonalized(vector: Vector, basis: readonly Vector[]): Vector {
  const unit = normalized(vector);
  orthogonalize(unit, basis);
  return normalized(unit);
}

/** The Ritz values of a Krylov space, smallest first, and how far each is from an eigenvalue at most: |λ − θ| ≤ β|s|. */
export function ritz({ alpha, beta }: Pick<Krylov, "alpha" | "beta">): SmallEigen & { readonly bounds: number[] } {
  const small = tridiagonalEigen(alpha, beta);
  return { ...small, bounds: small.vectors.map((s) => Math.abs(beta.at(-1)! * s.at(-1)!)) };
}

/** Q·s, of unit length; Q may have more vectors than s. */
export function combine(basis: readonly Vector[], s: readonly number[]): Vector {
  const result = basis[0]!.map(() => 0) as Vector;
  for (const [i, part] of s.entries()) addScaled(result, part, basis[i]!);
  return normalized(result);
}
