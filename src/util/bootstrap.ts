import type { Rng } from "./rng.ts";
import { quantile, studentT975 } from "./statistics.ts";

/** How often each of n observations is drawn in each of `draws` samples of n with replacement (Efron 1979). */
export const resamples = (n: number, draws: number, random: Rng): Uint32Array[] =>
  Array.from({ length: draws }, () => {
    const counts = new Uint32Array(n);
    for (let i = 0; i < n; i++) counts[Math.floor(n * random.uniform())]!++;
    return counts;
  });

/** Values of a statistic on samples of all strata together, each stratum drawn anew by itself with replacement. */
export const stratifiedBootstrap = (
  strata: readonly (readonly number[])[],
  draws: number,
  random: Rng,
  statistic: (values: readonly number[]) => number,
): number[] =>
  Array.from({ length: draws }, () =>
    statistic(strata.flatMap((stratum) => stratum.map(() => stratum[Math.floor(stratum.length * random.uniform())]!))),
  );

/** From so many observations on there is an interval: of fewer, resampling knows too little of their spread. */
export const LEAST_OBSERVATIONS = 5;

/**
 * The 95 % percentile interval of a statistic by its values on resamples of n observations, undefined for fewer than 5. Strata of n each
 * have n − 1 degrees of `freedom` each, and need 4 together. The percentiles lie further out than 2.5 and 97.5, as Student's t does beyond
 * the normal distribution (Hesterberg 2015, "expanded"): those of Φ(±t·√(n/(n−1))), since the spread of n resampled numbers is short of
 * the sample's by √((n−1)/n).
 */
export function percentileInterval(
  values: readonly number[],
  n: number,
  freedom = n - 1,
): readonly [number, number] | undefined {
  if (n < 2 || freedom < LEAST_OBSERVATIONS - 1) return undefined;
  const tail = normalBelow(-studentT975(freedom) * Math.sqrt(n / (n - 1)));
  return [quantile(values, tail), quantile(values, 1 - tail)];
}

/** Φ(z) for z ≤ 0, to 7.5e-8 (Abramowitz & Stegun 26.2.17). */
export function normalBelow(z: number): number {
  const t = 1 / (1 - 0.2316419 * z);
  const coefficients = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const polynomial = coefficients.reduce((sum, c) => (sum + c) * t, 0);
  return (Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
