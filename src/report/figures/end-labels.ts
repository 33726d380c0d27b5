import { readable } from "../contrast.ts";
import type { Interval } from "../curves.ts";
import type { Axis } from "./axis.ts";
import { TEXT } from "./figure.ts";

/** A line that has a name. */
interface NamedLine {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly Pick<Interval, "x" | "y">[];
}

/** A label beside the end of its line. */
export interface EndLabel {
  readonly label: string;
  /** The line's, darker where text of it would be too pale. */
  readonly colour: string;
  readonly x: number;
  /** The value at whose height the label stands, at most a few pixels from the end. */
  readonly y: number;
}

/** From one label to the next, in pixels. */
const STEP = TEXT + 2;

/** So far may a label be shifted and still be nearer to its own end than to any other. */
const SHIFT = 5;

/** Widest label, in pixels: a wider one would leave too little for the plot. */
const WIDEST = 140;

/** A character of a label, in pixels: more than the mean, so that labels of wide letters fit as well. */
const CHARACTER = 0.62 * TEXT;

/**
 * A label at the end of each line of a plot of this height, which needs no legend then; undefined where labels would be too wide, or
 * lines end at different x, outside of the plot or too near to each other.
 */
export function endLabels(lines: readonly NamedLine[], axis: Axis, height: number): EndLabel[] | undefined {
  if (Math.max(...lines.map(({ label }) => label.length)) * CHARACTER > WIDEST) return undefined;
  const [to, from] = axis.log ? [Math.log, Math.exp] : [(y: number) => y, (y: number) => y];
  const [low, high] = axis.domain.map(to) as [number, number];
  const perPixel = (high - low) / height;
  const ends = lines.map(({ label, colour, points }) => {
    const { x, y } = points.at(-1)!;
    return { label, colour: readable(colour), x, at: (high - to(y)) / perPixel };
  });
  const last = Math.max(...ends.map(({ x }) => x));
  if (ends.some(({ x, at }) => x < last || !(at >= 0 && at <= height))) return undefined;
  const sorted = ends.toSorted((a, b) => a.at - b.at);
  const places = apart(sorted.map(({ at }) => at));
  if (places.some((place, i) => Math.abs(place - sorted[i]!.at) > SHIFT)) return undefined;
  return sorted.map(({ label, colour, x }, i) => ({ label, colour, x, y: from(high - places[i]! * perPixel) }));
}

/** Rising places at least a step apart and as near as can be to where they should be, by least squares: neighbours that are too near move as one. */
function apart(wanted: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  const mean = ({ sum, count }: { sum: number; count: number }) => sum / count;
  for (const [i, at] of wanted.entries()) {
    let block = { sum: at - i * STEP, count: 1 };
    for (let before = blocks.at(-1); before && mean(before) > mean(block); before = blocks.at(-1)) {
      block = { sum: before.sum + block.sum, count: before.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  }
  return blocks.flatMap((block) => Array<number>(block.count).fill(mean(block))).map((at, i) => at + i * STEP);
}
