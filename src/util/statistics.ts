/** Mean and spread of a sample. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); undefined for one value. */
  readonly std: number | undefined;
  /** Half the width of the 95 % confidence interval of the mean by Student's t; undefined for one value. */
  readonly ci95: number | undefined;
}

export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return { n, mean, std: undefined, ci95: undefined };
  const std = Math.sqrt(values.reduce((total, x) => total + (x - mean) ** 2, 0) / (n - 1));
  return { n, mean, std, ci95: (studentT975(n - 1) * std) / Math.sqrt(n) };
}

/** P(|T| ≤ t) for Student's t with ν degrees of freedom, a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4). */
export function studentTWithin(t: number, freedom: number): number {
  const theta = Math.atan(t / Math.sqrt(freedom));
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const odd = freedom % 2 === 1;
  let term = odd ? cos : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cos ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + sin * sum) : sin * sum;
}

/** The 0.975 quantile of Student's t: the t within which 95 % lie, by bisection. */
export function studentT975(freedom: number): number {
  // The quantile falls from 12.706 at ν = 1 to the normal distribution's 1.960.
  let [low, high] = [1.9, 13];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTWithin(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** A mean difference between pairs, and the two-sided p-value of the paired t-test that it is zero. */
export interface PairedDifference extends Summary {
  readonly p: number;
}

/** Summary and test of differences between pairs; undefined for fewer than two pairs, which know no spread. */
export function pairedDifference(differences: readonly number[]): PairedDifference | undefined {
  const summary = summarize(differences);
  const { n, mean, std } = summary;
  if (std === undefined) return undefined;
  if (std === 0) return { ...summary, p: mean === 0 ? 1 : 0 };
  return { ...summary, p: Math.max(0, 1 - studentTWithin(Math.abs(mean / (std / Math.sqrt(n))), n - 1)) };
}

/** p-values corrected by Holm for being several: below a level together at most that often by chance. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const adjusted: number[] = [];
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * values[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}

/** The value below which this part of the sorted values lies, between neighbours on a line; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const [low = Number.NaN, high = low] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (at - Math.floor(at)) * (high - low);
}

/** The mean without the lowest and the highest quarter of the values, both rounded down to whole ones, as scipy's trim_mean(values, 0.25); NaN of none. */
export function interquartileMean(values: readonly number[]): number {
  const cut = Math.floor(values.length / 4);
  const inner = values.toSorted((a, b) => a - b).slice(cut, values.length - cut);
  return inner.reduce((a, b) => a + b, 0) / inner.length;
}

/** The middle of the sorted values, or the mean of the two middle ones; NaN of none. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);
