export interface Cell {
  readonly text: string;
  /** A subscript, shown as such on the page alone. */
  readonly sub?: string;
  readonly bold?: boolean;
}

export interface Table {
  /** Name of its files. */
  readonly name: string;
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Below the table: what the numbers are. */
  readonly note: string;
  /** The same for programs: one number per cell, unrounded. */
  readonly csv: readonly (readonly (string | number)[])[];
}

/** The table and its note in Markdown. */
export function toMarkdown({ head, rows, note }: Table): string {
  // A bar inside a cell, as in |cos|, would end it.
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const body = rows.map((row) =>
    line(row.map(({ text, sub = "", bold }) => (bold ? `**${text}${sub}**` : text + sub))),
  );
  const rule = `| ${head.map((_, i) => (i === 0 ? "---" : "---:")).join(" | ")} |`;
  return `${[line(head), rule, ...body].join("\n")}\n\n${note}\n`;
}

/** Comma-separated values as RFC 4180 has them, with plain line feeds. */
export const toCsv = ({ csv }: Table): string =>
  csv.map((row) => `${row.map((cell) => quoted(String(cell))).join(",")}\n`).join("");

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
