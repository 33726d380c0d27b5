import { colors } from "./colors.ts";
import { duration } from "./format.ts";
import { say, status } from "./ui.ts";
import { cutTo, widthOf } from "./width.ts";

/** A part of a line. */
export type Field = {
  /** The field of the lowest rank is dropped first where the line is too long. */
  readonly rank: number;
} & ({ readonly text: string } | { /** Draws a bar of a length that fits. */ readonly fraction: number });

const LONGEST_BAR = 24;
const SHORTEST_BAR = 8;
const GAP = "  ";

/** The fields in one line of at most `columns` characters: the bar shrinks first, then the lowest ranks are dropped. */
export function fitLine(fields: readonly Field[], columns: number): string {
  const drawn = (bar: number) =>
    fields.map((field) => ("text" in field ? field.text : barOf(field.fraction, bar))).join(GAP);
  const excess = widthOf(drawn(LONGEST_BAR)) - columns;
  const hasBar = fields.some((field) => "fraction" in field);
  if (excess <= 0 || (hasBar && excess <= LONGEST_BAR - SHORTEST_BAR)) return drawn(LONGEST_BAR - Math.max(0, excess));
  if (fields.length <= 1) return cutTo(drawn(SHORTEST_BAR), columns);
  const least = fields.reduce((a, b) => (b.rank < a.rank ? b : a));
  return fitLine(
    fields.filter((field) => field !== least),
    columns,
  );
}

function barOf(fraction: number, length: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * length);
  return colors.cyan("━".repeat(filled)) + colors.dim("─".repeat(length - filled));
}

/** "ETA 1m23s" from the time that the part done has taken, or nothing where nothing is done. */
export const eta = (seconds: number, done: number, left: number, rank: number): Field[] =>
  done > 0 ? [{ rank, text: `ETA ${duration((seconds / done) * left)}` }] : [];

/** Whether so much time has passed since it last said so; the first time it has. */
export function throttle(ms: number, last = Number.NEGATIVE_INFINITY): () => boolean {
  return () => {
    const now = performance.now();
    if (now - last < ms) return false;
    last = now;
    return true;
  };
}

const REDRAW_MS = 100;
const PLAIN_MS = 30_000;
/** A full line wraps, and a terminal prints ^C behind the line. */
const MARGIN = 3;

/** Whether people watch stderr on a terminal. */
export const onTerminal = (): boolean => process.stderr.isTTY === true;
/** Columns of the terminal that a line may take; without one, any. */
export const room = (): number => (onTerminal() ? (process.stderr.columns || 80) - MARGIN : Number.POSITIVE_INFINITY);

/** A line that renews itself on a terminal, ten times a second at most; elsewhere a line every half minute. */
export function progressLine(): (fields: () => readonly Field[]) => void {
  const due = onTerminal() ? throttle(REDRAW_MS) : throttle(PLAIN_MS, performance.now());
  return (fields) => {
    if (due()) (onTerminal() ? status : say)(fitLine(fields(), room()));
  };
}

/** Lines that renew themselves on a terminal, as many as it has rows for; elsewhere `plain`, a line every half minute. */
export function progressLines(plain: () => readonly Field[]): (lines: () => readonly (readonly Field[])[]) => void {
  if (!onTerminal()) {
    const line = progressLine();
    return () => line(plain);
  }
  const due = throttle(REDRAW_MS);
  return (lines) => {
    const most = Math.max(1, (process.stderr.rows || 24) - 1);
    if (due())
      status(
        ...lines()
          .slice(0, most)
          .map((fields) => fitLine(fields, room())),
      );
  };
}

/** A line that stays, without the fields that do not fit the terminal. */
export const sayFields = (fields: readonly Field[]): void => say(fitLine(fields, room()));
