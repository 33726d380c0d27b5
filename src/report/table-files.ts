import type { Table } from "./tables.ts";

export function toMarkdown({ head, rows, note }: Table): string {
  // A bar inside a cell, as in |cos|, would end it.
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const body = rows.map((row) => line(row.map(({ text, bold }) => (bold ? `**${text}**` : text))));
  const rule = `| ${head.map((_, i) => (i === 0 ? "---" : "---:")).join(" | ")} |`;
  return `${[line(head), rule, ...body].join("\n")}\n\n${note}\n`;
}

/** Comma-separated values as RFC 4180 has them, with plain line feeds. */
export const toCsv = ({ csv }: Table): string =>
  csv.map((row) => `${row.map((cell) => quoted(String(cell))).join(",")}\n`).join("");

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
