import { widthOf } from "./width.ts";

/** Text columns: numbers to the right, words to the left. */
export type Align = "left" | "right";

export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: Align;
}

const padded = (text: string, { width, align }: Column): string => {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "left" ? text + space : space + text;
};

/** One line of a table; the columns are known before the rows are, because rows appear as they are measured. */
export const tableRow = (columns: readonly Column[], cells: readonly string[]): string =>
  columns
    .map((column, i) => padded(cells[i] ?? "", column))
    .join("  ")
    .trimEnd();

export const tableHead = (columns: readonly Column[]): string =>
  tableRow(
    columns,
    columns.map(({ title }) => title),
  );

/** The lines at the end of the terminal that the next line replaces. */
let transient: readonly string[] = [];

/** Rows of the terminal that the lines take, which may have become narrower since. */
const rowsOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / (process.stderr.columns || 80))), 0);

const clear = (): void => {
  const up = rowsOf(transient) - 1;
  if (transient.length > 0) process.stderr.write(`\r${up > 0 ? `\x1b[${up}A` : ""}\x1b[J`);
  transient = [];
};

/** For people. stdout belongs to results. */
export const say = (line: string): void => {
  clear();
  process.stderr.write(`${line}\n`);
};

/** One JSON line on stdout. JSON lets some control characters stand, which a terminal would obey. */
export const emit = (value: unknown): void => {
  clear();
  const text = JSON.stringify(value).replace(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  process.stdout.write(`${text}\n`);
};

/** What happens now, on a terminal only; the next line replaces it. */
export const status = (...lines: readonly string[]): void => {
  clear();
  if (process.stderr.isTTY !== true) return;
  process.stderr.write(lines.join("\n"));
  transient = lines;
};
