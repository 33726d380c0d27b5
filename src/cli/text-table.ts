import { oneLine } from "../report/printable.ts";
import type { Table } from "../report/table.ts";
import { type Column, tableHead, tableRow } from "./ui.ts";
import { widthOf } from "./width.ts";

/** A table that is known whole, in lines as wide as its cells need. */
export function textTable({ head, rows }: Pick<Table, "head" | "rows">): string[] {
  const cells = rows.map((row) => row.map(({ text }) => oneLine(text)));
  const titles = head.map(oneLine);
  const columns = titles.map((title, i): Column => {
    const width = Math.max(...[titles, ...cells].map((row) => widthOf(row[i] ?? "")));
    return { title, width, align: i === 0 ? "left" : "right" };
  });
  return [tableHead(columns), ...cells.map((row) => tableRow(columns, row))];
}
