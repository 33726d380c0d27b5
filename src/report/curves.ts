import { groupBy } from "../util/group-by.ts";
import { type Summary, summarize } from "../util/statistics.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Curve = readonly Point[];

/** The mean of several curves at one x, and its spread. */
export interface BandPoint extends Summary {
  readonly x: number;
}

/** A point of a line and its band, which has no height for one seed. */
export interface Interval {
  readonly x: number;
  readonly n: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export const intervalOf = ({ x, n, mean, ci95 = 0 }: BandPoint): Interval => ({
  x,
  n,
  y: mean,
  low: mean - ci95,
  high: mean + ci95,
});

/**
 * Mean and spread at each x that all curves have: a mean over fewer seeds here than there would jump where one is
 * missing. Empty curves do not count, and an x at which a value is not finite is left out.
 */
export function band(curves: readonly Curve[]): BandPoint[] {
  const present = curves.filter((curve) => curve.length > 0);
  return [...groupBy(present.flat(), ({ x }) => x)]
    .filter(([, points]) => points.length === present.length && points.every(({ y }) => Number.isFinite(y)))
    .sort(([a], [b]) => a - b)
    .map(([x, points]) => ({ x, ...summarize(points.map(({ y }) => y)) }));
}

/** The same for a logarithmic axis: geometric means, with intervals of the mean logarithm; values must be positive. */
export const geometricBand = (curves: readonly Curve[]): Interval[] =>
  band(curves.map((curve) => curve.map(({ x, y }) => ({ x, y: Math.log(y) })))).map((point) => {
    const { x, n, low, high, y } = intervalOf(point);
    return { x, n, y: Math.exp(y), low: Math.exp(low), high: Math.exp(high) };
  });

/** Means over `count` bins of equal width that divide steps 0 … steps − 1, each at the middle of its bin. */
export function binned(points: Curve, steps: number, count: number): Point[] {
  const width = Math.max(1, steps / count);
  return [...groupBy(points, ({ x }) => Math.floor(x / width))].map(([bin, inside]) => ({
    x: (bin + 0.5) * width - 0.5,
    y: summarize(inside.map(({ y }) => y)).mean,
  }));
}
