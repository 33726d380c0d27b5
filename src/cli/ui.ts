/** Text columns: numbers to the right, words to the left. */
export type Align = "left" | "right";

export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: Align;
}

const padded = (text: string, { width, align }: Column): string =>
  align === "left" ? text.padEnd(width) : text.padStart(width);

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

/** Whether the line on the terminal is one that the next line replaces. */
let transient = false;

const clear = (): void => {
  if (transient) process.stderr.write("\r\x1b[K");
  transient = false;
};

/** For people. stdout belongs to results. */
export const say = (line: string): void => {
  clear();
  process.stderr.write(`${line}\n`);
};

/** One JSON line on stdout. */
export const emit = (value: unknown): void => {
  clear();
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** What happens now, on a terminal only; the next line replaces it. */
export const status = (text: string): void => {
  clear();
  if (process.stderr.isTTY !== true || text === "") return;
  process.stderr.write(text);
  transient = true;
};
