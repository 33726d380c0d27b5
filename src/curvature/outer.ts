import { furtherCopies } from "../spectrum/copies.ts";
import { type EigenPair, type ExtremesOptions, extremeEigenpairs, outerPairs } from "../spectrum/extremes.ts";
import type { Krylov } from "../spectrum/lanczos.ts";
import { rayleighRitz } from "../spectrum/rayleigh-ritz.ts";
import type { Estimate } from "../spectrum/trace.ts";
import { rng } from "../util/rng.ts";
import { crossFitted } from "./cross-fit.ts";
import type { Meter } from "./meter.ts";

export interface OuterRequest extends Pick<ExtremesOptions, "top" | "bottom" | "tolerance" | "maxProducts"> {
  /** Whether copies of a multiple eigenvalue are looked for, where two or more eigenvalues of one end are wanted. */
  readonly copies: boolean;
  /** Whether the largest eigenvalues are measured on held-out images, too. */
  readonly crossFit: boolean;
  readonly seed: number;
}

export interface OuterEigenvalues {
  readonly top: readonly EigenPair[];
  readonly bottom: readonly EigenPair[];
  /** Whether the residuals are measured. */
  readonly measured: boolean;
  /** Whether the search for copies ended with the finding that none remains; undefined where there was none. */
  readonly complete: boolean | undefined;
}

/** The outer eigenpairs. Where they were stopped, those of the Krylov space until then, which are inner bounds. */
export async function outerEigenvalues(meter: Meter, request: OuterRequest): Promise<OuterEigenvalues> {
  const { top, bottom, tolerance, copies, seed } = request;
  const maxProducts = Math.min(meter.loss.size, request.maxProducts);
  const options = { tolerance, maxProducts };
  let sofar: Krylov | undefined;
  const first = await meter.unlessStopped("eigenvalues", () =>
    extremeEigenpairs(meter.begin("eigenvalues", maxProducts)(), {
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
      ? await meter.unlessStopped("copies", () =>
          furtherCopies(meter.begin("copies", maxProducts)(), known, {
            ...options,
            random: rng(seed, "curvature", "copies"),
          }),
        )
      : undefined;
  const found = searched ?? known;
  const measured = await meter.unlessStopped("residuals", () =>
    rayleighRitz(meter.begin("check", top + bottom)(), found),
  );
  return { ...(measured ?? found), measured: measured !== undefined, complete: searched?.complete };
}

/** Residual of the eigenvectors of halves: their error enters a quotient by its square. */
const HALF_TOLERANCE = 1e-2;

/** The largest eigenvalues on held-out mini-batches; undefined where there is no second mini-batch, and where it was stopped. */
export async function heldOutValues(meter: Meter, request: OuterRequest): Promise<readonly Estimate[] | undefined> {
  const { loss, theta } = meter;
  const { top, tolerance, copies, seed } = request;
  if (!request.crossFit || top === 0 || loss.batches < 2) return undefined;
  const maxProducts = Math.min(loss.size, request.maxProducts);
  return meter.unlessStopped("heldOut", () => {
    const over = meter.begin("held out", 2 * maxProducts);
    return crossFitted(
      {
        batches: loss.batches,
        hessian: over,
        quotients: (v, of) => {
          meter.stop?.throwIfAborted();
          return loss.quotients(theta, v, of);
        },
      },
      {
        ...{ top, copies, maxProducts },
        tolerance: Math.max(tolerance, HALF_TOLERANCE),
        random: rng(seed, "curvature", "halves"),
      },
    );
  });
}
