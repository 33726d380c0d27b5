import { furtherCopies } from "../spectrum/copies.ts";
import { extremeEigenpairs } from "../spectrum/extremes.ts";
import type { SymmetricOperator } from "../spectrum/operator.ts";
import type { Estimate } from "../spectrum/trace.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { Rng } from "../util/rng.ts";
import type { BatchQuotient } from "../train/streamed.ts";

/** What cross-fitting asks of a mean of Hessians: its products and quotients over some of the mini-batches. */
export interface MeanHessian {
  /** Mini-batches. */
  readonly batches: number;
  hessian(of: readonly number[]): SymmetricOperator;
  quotients(v: Vector, of: readonly number[]): Promise<readonly BatchQuotient[]>;
}

export interface CrossFitOptions {
  /** Eigenvalues, largest first. */
  readonly top: number;
  /** Largest residual of the eigenvectors of each half. */
  readonly tolerance: number;
  /** Products for the eigenvectors of each half, at most; a search for copies has as many again. */
  readonly maxProducts: number;
  /** Whether copies of a multiple eigenvalue are looked for. */
  readonly copies: boolean;
  readonly random: Rng;
}

/**
 * Eigenvalues on images that did not choose their eigenvectors: vᵢ is the i-th eigenvector of every other mini-batch, and vᵢᵀH_b vᵢ is taken on
 * the mini-batches b of the other half; both ways, and averaged by their images, with the standard error over all mini-batches. For i = 1 its
 * expectation is at most λ₁ of the Hessian over all images there are, where λ₁ of the images at hand is at least that in expectation.
 */
export async function crossFitted(
  { batches, hessian, quotients }: MeanHessian,
  { top, tolerance, maxProducts, copies, random }: CrossFitOptions,
): Promise<Estimate[]> {
  const halves = [0, 1].map((parity) => Array.from({ length: batches }, (_, i) => i).filter((i) => i % 2 === parity));
  const heldOut: BatchQuotient[][] = Array.from({ length: top }, () => []);
  for (const [i, half] of halves.entries()) {
    const H = hessian(half);
    const options = { tolerance, maxProducts, random };
    const first = await extremeEigenpairs(H, { ...options, top, bottom: 0 });
    const pairs = copies ? await furtherCopies(H, first, options) : first;
    for (const [k, { vector }] of pairs.top.entries()) heldOut[k]!.push(...(await quotients(vector, halves[1 - i]!)));
  }
  return heldOut.map(weightedMean);
}

/** Σwᵢxᵢ, and its standard error from the spread of the xᵢ: √(n/(n−1)·Σwᵢ²(xᵢ − mean)²). */
function weightedMean(quotients: readonly BatchQuotient[]): Estimate {
  const mean = quotients.reduce((sum, { value, weight }) => sum + weight * value, 0);
  const squares = quotients.reduce((sum, { value, weight }) => sum + (weight * (value - mean)) ** 2, 0);
  return { mean, stderr: Math.sqrt((quotients.length / (quotients.length - 1)) * squares) };
}
