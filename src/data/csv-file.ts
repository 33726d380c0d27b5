import { type CsvError, parse } from "csv-parse/sync";
import { DataError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import { readMaybeGzip } from "./files.ts";

/** A table as its file has it. */
export interface CsvFile {
  readonly path: string;
  readonly header: readonly string[];
  /** Cells by row; row 1 is the first after the header. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads comma-separated values with a header (RFC 4180), packed by gzip or not, in UTF-8.
 * @throws DataError where the file is damaged, a row has more or fewer cells than the header, or two columns have one name
 */
export function readCsv(path: string): CsvFile {
  const text = textOf(path);
  const [first, ...rows] = parsed(text, path);
  const header = first?.map((name) => name.trim());
  if (header === undefined || rows.length === 0)
    throw new DataError(`${path}: no rows, expected a line of column names and rows below it`, { path });
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DataError(`${path}: two columns are called "${excerpt(twice)}"`, { path }, "rename one of them");
  const ragged = rows.findIndex(({ length }) => length !== header.length);
  if (ragged >= 0) {
    const { length } = rows[ragged]!;
    throw new DataError(
      `${path}: row ${ragged + 1} has ${length} cell${length === 1 ? "" : "s"}, the header has ${header.length}`,
      { path, row: ragged + 1 },
      'cells are parted by commas; a cell that holds one stands in quotes, "a,b"',
    );
  }
  return { path, header, rows };
}

function textOf(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readMaybeGzip(path));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DataError(`${path}: not in UTF-8`, { path }, "save the table as CSV in UTF-8");
  }
}

function parsed(text: string, path: string): string[][] {
  try {
    return parse(text, { relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    const { code, lines } = error as CsvError & { readonly lines?: number };
    if (code === undefined) throw error;
    const at = lines === undefined ? "" : `, line ${lines}`;
    throw new DataError(
      `${path}${at}: ${REASONS[code] ?? "no comma-separated values"}`,
      { path, code },
      'a quote inside quotes is doubled: "a ""b"" c"',
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is not closed",
  CSV_INVALID_CLOSING_QUOTE: "text behind a closing quote",
  INVALID_OPENING_QUOTE: "a quote inside a cell without quotes",
};
