import { type Align, tableRow } from "../ui.ts";
import { cutTo, widthOf } from "../width.ts";

/** A column of a table that is whole before it is shown. */
export interface FitColumn {
  readonly title: string;
  readonly align: Align;
  readonly cells: readonly string[];
  /** Its cells may be cut in their middle. */
  readonly shrinks?: boolean;
  /** The column of the lowest rank is left out first where the table is too wide; one without rank stays. */
  readonly rank?: number | undefined;
}

export interface Fitted {
  readonly lines: readonly string[];
  /** Titles of the columns that were left out. */
  readonly leftOut: readonly string[];
  /** Whether the rest has room. */
  readonly fits: boolean;
}

const GAP = 2;
/** What a name that is cut still has. */
const SHORTEST = 16;

/** A table of at most so many columns of a terminal: columns are left out by their rank, then names are cut; what is still too long is cut off. */
export function fitTable(columns: readonly FitColumn[], room: number): Fitted {
  const leftOut: string[] = [];
  let kept = columns.map((column) => {
    const width = column.cells.reduce((most, cell) => Math.max(most, widthOf(cell)), widthOf(column.title));
    return { ...column, width, least: column.shrinks ? Math.min(width, SHORTEST) : width };
  });
  while (total(kept.map(({ least }) => least)) > room) {
    const ranked = kept.filter(({ rank }) => rank !== undefined);
    if (ranked.length === 0) break;
    const lowest = ranked.reduce((a, b) => (b.rank! < a.rank! ? b : a));
    kept = kept.filter((column) => column !== lowest);
    leftOut.unshift(lowest.title);
  }
  const widths = kept.map(({ width }) => width);
  for (;;) {
    const wide = kept.map(({ least }, i) => (widths[i]! > least ? widths[i]! : 0));
    const widest = Math.max(...wide);
    if (total(widths) <= room || widest === 0) break;
    widths[wide.indexOf(widest)]!--;
  }
  const drawn = kept.map(({ title, align }, i) => ({ title, align, width: widths[i]! }));
  const line = (cells: readonly string[]) => {
    const cut = cells.map((cell, i) => cutMiddle(cell, widths[i]!));
    return cutTo(tableRow(drawn, cut), room);
  };
  const rows = kept[0]?.cells.map((_, row) => kept.map(({ cells }) => cells[row]!)) ?? [];
  return { lines: [line(kept.map(({ title }) => title)), ...rows.map(line)], leftOut, fits: total(widths) <= room };
}

const total = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + GAP, -GAP);

/** A text with its beginning and its end, which tell runs apart, in so many columns. */
function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const end = Math.floor((columns - 1) / 2);
  const reversed = [...text].reverse().join("");
  return `${cutTo(text, columns - 1 - end)}…${[...cutTo(reversed, end)].reverse().join("")}`;
}
