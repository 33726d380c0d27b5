import { printable } from "./printable.ts";

export interface Cell {
  readonly text: string;
  /** A subscript, shown as such on the page alone. */
  readonly sub?: string;
  readonly bold?: boolean;
}

/** Plain cells. */
export const cellsOf = (texts: readonly string[]): Cell[] => texts.map((text) => ({ text }));

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
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const body = rows.map((row) =>
    line(row.map(({ text, sub = "", bold }) => (bold ? `**${plain(text + sub)}**` : plain(text + sub)))),
  );
  const rule = `| ${head.map((_, i) => (i === 0 ? "---" : "---:")).join(" | ")} |`;
  return `${[line(head.map(plain)), rule, ...body].join("\n")}\n\n${plain(note)}\n`;
}

/** Text that Markdown shows as it is: no markup, no HTML, and a bar inside a cell, as in |cos|, does not end it. */
const plain = (text: string): string =>
  printable(text)
    .replace(/[\\|`*[\]]|&(?=#?\w+;)|<(?=[a-z/!?])/gi, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replace(/\s*[\r\n]+\s*/g, " ");

export const toCsv = ({ csv }: Table): string => csvOf(csv);

/** Comma-separated values as RFC 4180 has them, with plain line feeds. */
export const csvOf = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.map((cell) => quoted(String(cell))).join(",")}\n`).join("");

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
