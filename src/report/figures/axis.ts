import { quantile } from "../../util/statistics.ts";
import type { Interval } from "../curves.ts";

/** A vertical axis: its range, and where its labels stand. */
export interface Axis {
  readonly log: boolean;
  readonly domain: readonly [number, number];
  /** Where a band reaches beyond the domain, it is cut off there. */
  readonly cut: boolean;
  /** Values of lines beyond the domain, which are not seen. */
  readonly outside: readonly number[];
  readonly ticks?: readonly number[];
}

export interface AxisOptions {
  /** Values that the quantity can take. */
  readonly within?: readonly [number, number];
  /** Begin at zero, where that is the natural reference and there is one. */
  readonly zero?: boolean;
}

/** Below this ratio of large values to small ones, a logarithmic axis looks like a linear one, with worse labels. */
const WIDE = 3;

/** Whether a logarithmic axis is right: values are positive, and all but the outermost tenths span enough. */
export function spansWide(values: readonly number[]): boolean {
  const finite = values.filter(Number.isFinite);
  return Math.min(...finite) > 0 && quantile(finite, 0.9) > WIDE * quantile(finite, 0.1);
}

/** A line of so many points has a bulk; of fewer, each point counts. */
const BULK = 6;

/** Tukey's "far out": beyond this many interquartile ranges from the quartiles. */
const FAR_OUT = 3;

/** The range of a line without values that are far out, as a start that would flatten all that follows. */
function bulkOf(values: readonly number[]): readonly [number, number] {
  const [low, high] = [quantile(values, 0.25), quantile(values, 0.75)];
  const reach = FAR_OUT * (high - low);
  const inside =
    values.length < BULK || reach === 0 ? values : values.filter((y) => y >= low - reach && y <= high + reach);
  return [Math.min(...inside), Math.max(...inside)];
}

/**
 * The bulk of every line is inside. Bands are, too, up to half the height of the lines on either side: an interval can be so wide
 * that nothing else would be seen.
 */
export function axisOf(lines: readonly (readonly Interval[])[], log: boolean, { within, zero }: AxisOptions): Axis {
  const [to, from] = log ? [Math.log, Math.exp] : [identity, identity];
  const points = lines.flat();
  const bulks = lines.filter((line) => line.length > 0).map((line) => bulkOf(line.map(({ y }) => to(y))));
  const [least, most] = [Math.min(...bulks.map(([low]) => low)), Math.max(...bulks.map(([, high]) => high))];
  const room = (most - least || Math.abs(most) || 1) / 2;
  const inBulk = points.filter(({ y }) => to(y) >= least && to(y) <= most);
  const extremes = inBulk.flatMap(({ low, high }) => [to(low), to(high)]);
  const [lowest, highest] = [Math.min(...extremes), Math.max(...extremes)];
  const inside = [Math.max(lowest, least - room), Math.min(highest, most + room)] as const;
  const fromZero = zero && !log;
  const padding = 0.05 * (inside[1] - (fromZero ? 0 : inside[0]) || room);
  const bottom = fromZero ? 0 : from(inside[0] - padding);
  const domain = [
    Math.max(bottom, within?.[0] ?? Number.NEGATIVE_INFINITY),
    Math.min(from(inside[1] + padding), within?.[1] ?? Number.POSITIVE_INFINITY),
  ] as const;
  // What lies outside the possible values is cut off without a note in the caption.
  const cut = lowest < inside[0] || highest > inside[1];
  const outside = points.map(({ y }) => y).filter((y) => y < domain[0] || y > domain[1]);
  return { log, domain, cut, outside, ...(log ? { ticks: logTicks(domain) } : {}) };
}

const identity = (x: number): number => x;

/** What a caption says of values that the axis leaves out; nothing where it holds them all. */
export function axisNote({ cut, outside }: Axis, format: (y: number) => string): string {
  if (outside.length > 0) {
    const [least, most] = [Math.min(...outside), Math.max(...outside)];
    const values = least === most ? `a value of ${format(least)}` : `values from ${format(least)} to ${format(most)}`;
    const count = outside.length === 1 ? "one point" : `${outside.length} points`;
    return `; the axis shows the bulk: ${count}, ${values}, outside`;
  }
  return cut ? " (cut off where they would flatten the lines)" : "";
}

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
