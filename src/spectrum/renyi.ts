import type { Quadrature } from "./density.ts";
import type { Estimate } from "./trace.ts";

/** Order of the entropy; ours, because sources we could read name none. */
const ORDER = 2;

/**
 * Rényi sharpness (Zhang et al. 2025, arXiv 2510.07758): the negative Rényi entropy −H_α = log(Σ pᵢ^α)/(α − 1) of the normalized spectrum, here
 * pᵢ = |λᵢ|/Σ|λⱼ| and α = 2. It is −log `size` where all eigenvalues are equally large, 0 where one alone is not zero, and does not change with the
 * scale of H. Σ|λ|^α comes from the quadratures of random probes; the standard error is the jackknife's over them.
 */
export function renyiSharpness(quadratures: readonly Quadrature[], size: number): Estimate {
  const sums = quadratures.map((q) => [1, ORDER].map((power) => absoluteMoment(q, power)) as [number, number]);
  const totals = [0, 1].map((k) => sums.reduce((sum, each) => sum + each[k]!, 0));
  const sharpness = (first: number, second: number, probes: number) =>
    (Math.log((size * second) / probes) - ORDER * Math.log((size * first) / probes)) / (ORDER - 1);
  const n = sums.length;
  const mean = sharpness(totals[0]!, totals[1]!, n);
  // Without the only probe there is none, and no error: NaN.
  const without = sums.map(([first, second]) => sharpness(totals[0]! - first, totals[1]! - second, n - 1));
  const middle = without.reduce((a, b) => a + b, 0) / n;
  const squares = without.reduce((sum, x) => sum + (x - middle) ** 2, 0);
  return { mean, stderr: Math.sqrt(((n - 1) / n) * squares) };
}

const absoluteMoment = ({ nodes, weights }: Quadrature, power: number): number =>
  nodes.reduce((sum, x, i) => sum + weights[i]! * Math.abs(x) ** power, 0);
