import { rng } from "../util/rng.ts";
import { furtherCopies } from "./copies.ts";
import { type EigenPair, type ExtremesOptions, extremeEigenpairs, outerPairs } from "./extremes.ts";
import type { Krylov } from "./lanczos.ts";
import type { SymmetricOperator } from "./operator.ts";
import { rayleighRitz } from "./rayleigh-ritz.ts";

export interface OuterRequest extends Pick<ExtremesOptions, "top" | "bottom" | "tolerance" | "maxProducts"> {
  /** Whether copies of a multiple eigenvalue are looked for, where two or more eigenvalues of one end are wanted. */
  readonly copies: boolean;
  readonly seed: number;
}

export interface OuterEigenpairs {
  readonly top: readonly EigenPair[];
  readonly bottom: readonly EigenPair[];
  /** Whether the residuals are measured. */
  readonly measured: boolean;
  /** Whether the search for copies ended with the finding that none remains; undefined where there was none. */
  readonly complete: boolean | undefined;
}

/** Does one part of the work, of so many products at most, with the operator; undefined where it was stopped before its end. */
export type DoPart = <T>(
  part: "eigenvalues" | "copies" | "residuals",
  most: number,
  work: (operator: SymmetricOperator) => Promise<T>,
) => Promise<T | undefined>;

/**
 * The outer eigenpairs by Lanczos, further copies of multiple ones, and the best pairs in the span of all that with measured residuals.
 * Where they were stopped, those of the Krylov space until then, which are inner bounds.
 */
export async function outerEigenpairs(request: OuterRequest, doPart: DoPart): Promise<OuterEigenpairs> {
  const { top, bottom, tolerance, maxProducts, copies, seed } = request;
  const options = { tolerance, maxProducts };
  let sofar: Krylov | undefined;
  const first = await doPart("eigenvalues", maxProducts, (operator) =>
    extremeEigenpairs(operator, {
      ...options,
      top,
      bottom,
      random: rng(seed, "curvature", "lanczos"),
      onProduct: (_, krylov) => {
        sofar = krylov;
      },
    }),
  );
  const known = first ?? (sofar ? outerPairs(sofar, top, bottom) : { top: [], bottom: [] });
  const searched =
    copies && Math.max(top, bottom) > 1
      ? await doPart("copies", maxProducts, (operator) =>
          furtherCopies(operator, known, { ...options, random: rng(seed, "curvature", "copies") }),
        )
      : undefined;
  const found = searched ?? known;
  const measured = await doPart("residuals", top + bottom, (operator) => rayleighRitz(operator, found));
  return { ...(measured ?? found), measured: measured !== undefined, complete: searched?.complete };
}
