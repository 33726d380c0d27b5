import type { Targets } from "../nn/losses.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import { nearest } from "../util/nearest.ts";
import type { CsvFile } from "./csv-file.ts";

/** A column as numbers: standardized, (x − mean)/std, or of text, 1 for the one of its values that a cell has and 0 for the others. */
export type TableColumn =
  | { readonly name: string; readonly mean: number; readonly std: number }
  | { readonly name: string; readonly values: readonly string[] };

/** How the rows of a table become examples, as its training rows decide. */
export interface TableFormat {
  readonly columns: readonly TableColumn[];
  /** Of real values, their mean and deviation: the network learns (y − mean)/std. Of classes neither. */
  readonly target: { readonly name: string; readonly mean?: number | undefined; readonly std?: number | undefined };
}

/** What is told of a table. */
export interface TableChoice {
  /** The column to predict. */
  readonly target: string;
  /** The columns to predict it from; left out, all others. */
  readonly columns?: readonly string[] | undefined;
  /** Whether whole numbers of the target are classes. */
  readonly classes?: boolean | undefined;
}

/** What a cell without a value holds. */
const MISSING: ReadonlySet<string> = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"]);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number of a cell; undefined for text. */
const numberOf = (cell: string): number | undefined => {
  const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
};

/**
 * The cells of a column, without spaces around them.
 * @throws ConfigError where there is no such column
 * @throws DataError where a cell is empty
 */
function cellsOf({ path, header, rows }: CsvFile, name: string): string[] {
  const at = header.indexOf(name);
  if (at < 0) {
    const near = nearest(name, header);
    throw new ConfigError(
      `${path} has no column "${excerpt(name)}"`,
      { path, column: name },
      near === undefined ? `its columns: ${excerpt(header.join(", "), 400)}` : `did you mean ${near}?`,
    );
  }
  return rows.map((row, i) => {
    const cell = row[at]!.trim();
    if (MISSING.has(cell))
      throw new DataError(
        `${path}: column ${excerpt(name)} has no value in row ${i + 1}: "${cell}"`,
        { path, column: name, row: i + 1 },
        "fill it in, leave the row out, or leave the column out of data.columns",
      );
    return cell;
  });
}

/** The numbers of a column; undefined where it is text from its first row on. */
function numbersOf(file: CsvFile, name: string, cells: readonly string[]): Float64Array | undefined {
  if (numberOf(cells[0]!) === undefined && cells.every((cell) => numberOf(cell) === undefined)) return undefined;
  return allNumbers(file, name, cells);
}

/** @throws DataError where a cell is text */
function allNumbers({ path }: CsvFile, name: string, cells: readonly string[]): Float64Array {
  return Float64Array.from(cells, (cell, i) => {
    const value = numberOf(cell);
    if (value === undefined)
      throw new DataError(
        `${path}: column ${excerpt(name)} holds numbers, but "${excerpt(cell)}" in row ${i + 1}`,
        { path, column: name, row: i + 1 },
        "write numbers as 1234.5 or 1.2e3; a column of text holds no number",
      );
    return value;
  });
}

/** Mean and deviation over all values; a constant column has deviation 1, and so becomes zeros. */
function scaleOf(values: Float64Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  // Equal numbers whose sum is rounded deviate by a little.
  const constant = values.every((value) => value === values[0]);
  return constant ? { mean: values[0]!, std: 1 } : { mean, std };
}

const distinct = (cells: readonly string[]): string[] => [...new Set(cells)].sort();

/** How a table becomes examples, and what its targets are: text is classes by name, numbers are real values or, if asked for, classes. */
export function fitTable(file: CsvFile, { target, columns, classes }: TableChoice) {
  const cells = cellsOf(file, target);
  const chosen = columns ?? file.header.filter((name) => name !== target);
  if (chosen.length === 0 || chosen.includes(target))
    throw new ConfigError(
      `${target} is to be predicted from ${chosen.length === 0 ? "no column" : "itself"}`,
      { target, columns: chosen },
      "name other columns in data.columns",
    );
  const fitted = chosen.map((name): TableColumn => {
    const own = cellsOf(file, name);
    const numbers = numbersOf(file, name, own);
    return numbers ? { name, ...scaleOf(numbers) } : { name, values: distinct(own) };
  });
  const values = numbersOf(file, target, cells);
  if (values && classes !== true) {
    const table: TableFormat = { columns: fitted, target: { name: target, ...scaleOf(values) } };
    return { table, targets: { kind: "values", shape: [1] } satisfies Targets, classNames: undefined };
  }
  if (classes === false)
    throw new ConfigError(
      `data.classes is false, but column ${target} of ${file.path} is text`,
      { target },
      "leave data.classes out: text is classes by name",
    );
  const odd = values?.findIndex((value) => !Number.isSafeInteger(value)) ?? -1;
  if (odd >= 0)
    throw new DataError(
      `${file.path}: column ${target} has ${cells[odd]} in row ${odd + 1}, and data.classes takes whole numbers`,
      { target, row: odd + 1 },
      "leave data.classes out for real values",
    );
  const classNames = values ? [...new Set(values)].sort((a, b) => a - b).map(String) : distinct(cells);
  if (classNames.length < 2)
    throw new DataError(
      `${file.path}: column ${target} has one class alone, ${classNames[0]}`,
      { target },
      "a classifier tells two or more apart; numbers as real values need no data.classes",
    );
  const table: TableFormat = { columns: fitted, target: { name: target } };
  return { table, targets: { kind: "labels", classes: classNames.length } satisfies Targets, classNames };
}

/** Numbers per row. */
export const widthOf = ({ columns }: TableFormat): number =>
  columns.reduce((width, column) => width + ("values" in column ? column.values.length : 1), 0);

/** The rows [n, width] as a network reads them. DataError where a cell is not what the training rows had. */
export function inputsOf(file: CsvFile, format: TableFormat): Float32Array {
  const width = widthOf(format);
  const x = new Float32Array(file.rows.length * width);
  let at = 0;
  for (const column of format.columns) {
    const cells = cellsOf(file, column.name);
    if ("values" in column) {
      for (const [row, place] of placesOf(file, column.name, cells, column.values).entries())
        x[row * width + at + place] = 1;
      at += column.values.length;
    } else {
      for (const [row, value] of standardized(file, column, cells).entries()) x[row * width + at] = value;
      at += 1;
    }
  }
  return x;
}

/** The targets of the rows: labels [n], or standardized values [n, 1]. */
export function targetsOf(file: CsvFile, { target }: TableFormat, classNames: readonly string[] = []) {
  const cells = cellsOf(file, target.name);
  const { name, mean, std } = target;
  if (mean !== undefined && std !== undefined) return standardized(file, { name, mean, std }, cells);
  // "1.0" and "1" are one class where all names are numbers.
  const numeric = classNames.every((name) => numberOf(name) !== undefined);
  const named = numeric ? cells.map((cell) => String(numberOf(cell) ?? cell)) : cells;
  return Int32Array.from(placesOf(file, target.name, named, classNames));
}

/** (x − mean)/std of the numbers of a column. DataError where that is beyond 32 bits. */
function standardized(
  file: CsvFile,
  { name, mean, std }: { readonly name: string; readonly mean: number; readonly std: number },
  cells: readonly string[],
): Float32Array {
  const result = Float32Array.from(allNumbers(file, name, cells), (value) => (value - mean) / std);
  const bad = result.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return result;
  throw new DataError(
    `${file.path}: column ${excerpt(name)} has ${excerpt(cells[bad]!)} in row ${bad + 1}, too far from its mean ${mean}`,
    { path: file.path, column: name, row: bad + 1 },
    "give the column in another unit, or correct the row",
  );
}

function placesOf({ path }: CsvFile, name: string, cells: readonly string[], values: readonly string[]): number[] {
  const places = new Map(values.map((value, place) => [value, place]));
  return cells.map((cell, i) => {
    const place = places.get(cell);
    if (place === undefined)
      throw new DataError(
        `${path}: column ${excerpt(name)} has "${excerpt(cell)}" in row ${i + 1}, which no training row has`,
        { path, column: name, row: i + 1 },
        `the training rows have ${excerpt(values.join(", "), 200)}`,
      );
    return place;
  });
}
