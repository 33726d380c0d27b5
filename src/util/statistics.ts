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

/** Whether two 95 % intervals of means share a point; a mean without an interval overlaps with everything. */
export function overlap(a: Summary, b: Summary): boolean {
  if (a.ci95 === undefined || b.ci95 === undefined) return true;
  return Math.abs(a.mean - b.mean) <= a.ci95 + b.ci95;
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

/** The middle of the sorted values, or the mean of the two middle ones; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
