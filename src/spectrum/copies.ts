import type { Rng } from "../util/rng.ts";
import { type EigenPair, type Extremes, relativeTo, roundingOf, settledAt } from "./extremes.ts";
import { combine, type Krylov, lanczos, ritz } from "./lanczos.ts";
import type { SymmetricOperator } from "./operator.ts";
import { gaussian } from "./vectors.ts";

export interface CopiesOptions {
  /** Largest residual of a converged pair; a value that is larger than the last one found by no more than this part is taken for the same. */
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly random: Rng;
}

export interface Searched extends Pick<Extremes, "top" | "bottom"> {
  readonly products: number;
  /** Whether the last search ended with the finding that nothing remains; false where the products did not suffice. */
  readonly complete: boolean;
}

/** Residual at which the outermost value of a search counts as such, however large the tolerance is. */
const SURE = 1e-3;

/** Probability with which a search may miss an eigenvalue, over its random start. */
const MISSED = 1e-3;

/**
 * Looks for eigenvalues that one Krylov space has not shown, such as further copies of a multiple one: Lanczos is restarted from a random
 * vector orthogonal to all that was found, as often as that finds something, and what it finds takes its place among the largest and the smallest.
 * An end of the spectrum of which one eigenvalue is wanted is left alone: a copy would not change its value.
 */
export async function furtherCopies(
  operator: SymmetricOperator,
  found: Pick<Extremes, "top" | "bottom">,
  { tolerance, maxProducts, random }: CopiesOptions,
): Promise<Searched> {
  const { dim, dtype } = operator;
  if (found.top.length < 2 && found.bottom.length < 2) return { ...found, products: 0, complete: true };
  let known = [...found.top, ...found.bottom];
  let { top, bottom } = found;
  let products = 0;
  while (known.length < dim) {
    if (products === maxProducts) return { top, bottom, products, complete: false };
    const scale = Math.max(...known.map(({ eigenvalue }) => Math.abs(eigenvalue)));
    const rounding = roundingOf(dtype, scale);
    const settled = settledAt(Math.min(tolerance, SURE), rounding);
    const left = dim - known.length;
    const sides = ([1, -1] as const).flatMap((sign) => {
      const pairs = sign === 1 ? top : bottom;
      return pairs.length < 2 ? [] : [{ sign, last: pairs.at(-1)!.eigenvalue }];
    });
    /** On each side, the Ritz pairs beyond what was found, and whether it is known that there are none or that they are good. */
    const look = (krylov: Krylov) => {
      const { values, vectors, bounds } = ritz(krylov);
      return sides.map(({ sign, last }) => {
        const border = last + sign * Math.max(tolerance * Math.abs(last), rounding);
        const pairs = values
          .map((eigenvalue, i) => ({ eigenvalue, s: vectors[i]!, bound: bounds[i]! }))
          .sort((a, b) => sign * (b.eigenvalue - a.eigenvalue));
        const beyond = pairs.filter(({ eigenvalue }) => sign * (eigenvalue - border) > 0);
        const outermost = pairs[0]!;
        const none =
          krylov.alpha.length === left ||
          settled(outermost.eigenvalue, outermost.bound) ||
          growsBeyond(krylov, border, Math.sqrt((2 * left) / Math.PI) / MISSED);
        return { beyond, decided: beyond.length > 0 ? beyond.every((p) => settled(p.eigenvalue, p.bound)) : none };
      });
    };
    const krylov = await lanczos(operator, {
      start: gaussian(dim, dtype, random),
      against: known.map(({ vector }) => vector),
      steps: maxProducts - products,
      random,
      enough: (sofar) => look(sofar).every(({ decided }) => decided),
    });
    products += krylov.alpha.length;
    const looked = look(krylov);
    const more = looked.flatMap(({ beyond }) =>
      beyond
        .filter(({ eigenvalue, bound }) => settled(eigenvalue, bound))
        .map(({ eigenvalue, bound, s }): EigenPair => {
          return { eigenvalue, residual: relativeTo(eigenvalue, bound), vector: combine(krylov.basis, s) };
        }),
    );
    if (more.length === 0) return { top, bottom, products, complete: looked.every(({ decided }) => decided) };
    known = [...known, ...more].sort((a, b) => b.eigenvalue - a.eigenvalue);
    top = known.slice(0, top.length);
    bottom = known.toReversed().slice(0, bottom.length);
  }
  return { top, bottom, products, complete: true };
}

/**
 * Whether the Lanczos polynomials pᵢ, qᵢ₊₁ = pᵢ(H)q₁, reach `factor` at λ. An eigenvector u of λ has 1 ≥ |uᵀqᵢ₊₁| = |pᵢ(λ)|·|uᵀq₁|, so then
 * |uᵀq₁| ≤ 1/factor, and a start that is uniform on the sphere of n dimensions has so small a part along u with probability ≤ √(2n/π)/factor.
 * Beyond the largest Ritz value pᵢ grows, so the same holds for all eigenvalues beyond λ (van Dorsselaer, Hochstenbach & van der Vorst 2000).
 */
function growsBeyond({ alpha, beta }: Pick<Krylov, "alpha" | "beta">, lambda: number, factor: number): boolean {
  let [before, now, link] = [0, 1, 0];
  for (const [i, diagonal] of alpha.entries()) {
    [before, now, link] = [now, ((lambda - diagonal) * now - link * before) / beta[i]!, beta[i]!];
    // An exhausted space, β = 0, holds every eigenvalue that its start has a part of.
    if (!(Math.abs(now) < factor)) return true;
  }
  return false;
}
