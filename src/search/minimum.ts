import { pairedDifference } from "../util/statistics.ts";

/** A value of a setting, and what was measured there, one number per seed in the same order everywhere. */
export interface Measured {
  readonly x: number;
  readonly values: readonly number[];
}

/** Where a measured curve is lowest. */
export interface Minimum {
  /** The point with the lowest mean. */
  readonly best: Measured;
  /** What to take: the lowest point of a parabola through the best point and its neighbours, or the best point itself. */
  readonly at: number;
  /** "edge": the best point is the first or last one, so the lowest may lie beyond. */
  readonly how: "parabola" | "point" | "edge";
  /** Other points that the seeds do not tell from the best one: the 95 % interval of the paired difference holds 0. */
  readonly tied: readonly number[];
}

/** A setting that is searched by factors: zero is a point of its own, and no neighbour on a logarithmic axis. */
export function minimumOf(points: readonly Measured[]): Minimum {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const best = sorted.reduce((a, b) => (mean(b) < mean(a) ? b : a));
  const tied = sorted.filter((point) => point !== best && isTied(point, best)).map(({ x }) => x);
  if (best.x === 0) return { best, at: 0, how: "point", tied };
  const positive = sorted.filter(({ x }) => x > 0);
  const at = positive.indexOf(best);
  const [before, after] = [positive[at - 1], positive[at + 1]];
  if (before === undefined || after === undefined) return { best, at: best.x, how: "edge", tied };
  return { best, at: vertex([before, best, after]), how: "parabola", tied };
}

const mean = ({ values }: Measured): number => values.reduce((a, b) => a + b, 0) / values.length;

function isTied(point: Measured, best: Measured): boolean {
  const difference = pairedDifference(point.values.map((value, i) => value - best.values[i]!));
  // One seed knows no spread, and tells nothing apart.
  return difference === undefined || difference.mean <= difference.ci95!;
}

/** x of the lowest point of the parabola in log x through three points, the middle one the lowest of them. */
function vertex(points: readonly [Measured, Measured, Measured]): number {
  const [a, b, c] = points.map(({ x }) => Math.log(x)) as [number, number, number];
  const [ya, yb, yc] = points.map(mean) as [number, number, number];
  const [left, right] = [(b - a) * (yb - yc), (b - c) * (yb - ya)];
  if (left === right) return points[1].x;
  return Math.exp(b - ((b - a) * left - (b - c) * right) / (2 * (left - right)));
}
