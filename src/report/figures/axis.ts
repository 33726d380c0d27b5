import type { Interval } from "../curves.ts";

/** A vertical axis: its range, and where its labels stand. */
export interface Axis {
  readonly log: boolean;
  readonly domain: readonly [number, number];
  /** Where a band reaches beyond the domain, it is cut off there. */
  readonly cut: boolean;
  readonly ticks?: readonly number[];
}

export interface AxisOptions {
  /** Values that the quantity can take. */
  readonly within?: readonly [number, number];
  /** Begin at zero, where that is the natural reference and there is one. */
  readonly zero?: boolean;
}

/** Below this ratio of the largest value to the smallest, a logarithmic axis looks like a linear one, with worse labels. */
const WIDE = 3;

/** Whether a logarithmic axis is right: values are positive and span enough. */
export function spansWide(values: readonly number[]): boolean {
  const finite = values.filter(Number.isFinite);
  const least = Math.min(...finite);
  return least > 0 && Math.max(...finite) > WIDE * least;
}

/**
 * All lines are inside. Bands are, too, up to half the height of the lines on either side: two seeds can have an
 * interval so wide that nothing else would be seen.
 */
export function axisOf(points: readonly Interval[], log: boolean, { within, zero }: AxisOptions): Axis {
  const [to, from] = log ? [Math.log, Math.exp] : [identity, identity];
  const of = (value: (point: Interval) => number) => points.map((point) => to(value(point)));
  const lines = of(({ y }) => y);
  const [least, most] = [Math.min(...lines), Math.max(...lines)];
  const room = (most - least || Math.abs(most) || 1) / 2;
  const [lowest, highest] = [Math.min(...of(({ low }) => low)), Math.max(...of(({ high }) => high))];
  const inside = [Math.max(lowest, least - room), Math.min(highest, most + room)] as const;
  const padding = 0.05 * (inside[1] - inside[0] || room);
  const bottom = zero && !log ? 0 : from(inside[0] - padding);
  const domain = [
    Math.max(bottom, within?.[0] ?? Number.NEGATIVE_INFINITY),
    Math.min(from(inside[1] + padding), within?.[1] ?? Number.POSITIVE_INFINITY),
  ] as const;
  // What lies outside the possible values is cut off without a note in the caption.
  const cut = lowest < inside[0] || highest > inside[1];
  return { log, domain, cut, ...(log ? { ticks: logTicks(domain) } : {}) };
}

const identity = (x: number): number => x;

/** Powers of ten within the domain; where those are few, 1, 2 and 5 times them, or all their multiples. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const ticks = (digits: readonly number[]) =>
    powers.flatMap((power) => digits.map((d) => Number(`${d}e${power}`))).filter((tick) => tick >= low && tick <= high);
  const [decades, some] = [ticks([1]), ticks([1, 2, 5])];
  if (decades.length > 3) return decades;
  return some.length >= 3 ? some : ticks([1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
