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

/** 0.975 quantiles of Student's t for 1 … 30 degrees of freedom (any table). */
const T975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const;

/** Beyond the table, the expansion around the normal quantile z (Abramowitz & Stegun 26.7.5, first two terms). */
export function studentT975(freedom: number): number {
  const z = 1.959964;
  return (
    T975[freedom - 1] ?? z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)
  );
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface BandPoint extends Summary {
  readonly x: number;
}

/** Summary over curves of the values at each x that occurs. */
export function band(curves: readonly (readonly Point[])[]): BandPoint[] {
  const byX = new Map<number, number[]>();
  for (const { x, y } of curves.flat()) byX.set(x, [...(byX.get(x) ?? []), y]);
  return [...byX].sort(([a], [b]) => a - b).map(([x, values]) => ({ x, ...summarize(values) }));
}

/** The same on a logarithmic scale: geometric means, and intervals whose half width is a factor's logarithm. */
export const logBand = (curves: readonly (readonly Point[])[]): BandPoint[] =>
  band(curves.map((curve) => curve.map(({ x, y }) => ({ x, y: Math.log(y) })))).map((point) => ({
    ...point,
    mean: Math.exp(point.mean),
  }));

/** Means over consecutive bins of `width` in x, each at its middle. */
export function binned(points: readonly Point[], width: number): Point[] {
  const bins = new Map<number, number[]>();
  for (const { x, y } of points) {
    const bin = Math.floor(x / width);
    bins.set(bin, [...(bins.get(bin) ?? []), y]);
  }
  return [...bins].map(([bin, values]) => ({ x: (bin + 0.5) * width, y: summarize(values).mean }));
}
