import { outerEigenpairs, type OuterEigenpairs, type OuterRequest as Outer } from "../spectrum/outer.ts";
import type { Estimate } from "../spectrum/trace.ts";
import { rng } from "../util/rng.ts";
import { crossFitted } from "./cross-fit.ts";
import type { Meter } from "./meter.ts";

export interface OuterRequest extends Outer {
  /** Whether the largest eigenvalues are measured on held-out images, too. */
  readonly crossFit: boolean;
}

/** The outer eigenpairs of the loss, each part of the work under the meter. */
export function outerEigenvalues(meter: Meter, request: OuterRequest): Promise<OuterEigenpairs> {
  const maxProducts = Math.min(meter.loss.size, request.maxProducts);
  return outerEigenpairs({ ...request, maxProducts }, (part, most, work) =>
    meter.unlessStopped(part, () => work(meter.begin(part === "residuals" ? "check" : part, most)())),
  );
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
