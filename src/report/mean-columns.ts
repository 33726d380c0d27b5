import type { Summary } from "../util/statistics.ts";

/** A column of means over seeds: a summary, one number without a spread, or nothing. */
export interface MeanColumn<Row> {
  readonly head: string;
  /** Name of its CSV columns. */
  readonly key: string;
  value(row: Row): Summary | number | undefined;
  readonly digits: number;
  readonly percent?: true;
  /** A difference: with its sign. */
  readonly gain?: true;
}

const summaryOf = (value: Summary | number | undefined): Pick<Summary, "n" | "mean" | "ci95"> =>
  typeof value === "object" ? value : { n: value === undefined ? 0 : 1, mean: value ?? Number.NaN, ci95: undefined };

/** The mean ± half its 95 % interval; a dash where there is none. */
export function meanText<Row>({ value, digits, percent, gain }: MeanColumn<Row>, row: Row): string {
  const { n, mean, ci95 } = summaryOf(value(row));
  if (n === 0) return "–";
  const text = (x: number) => ((percent ? 100 : 1) * x).toFixed(digits);
  const spread = ci95 === undefined ? "" : ` ± ${text(ci95)}`;
  return `${gain && mean > 0 ? "+" : ""}${text(mean)}${spread}${percent && !gain ? " %" : ""}`;
}

/** The names of the CSV columns of each: mean, and half its interval. */
export const meanHeads = <Row>(columns: readonly MeanColumn<Row>[]): string[] =>
  columns.flatMap(({ key }) => [`${key}Mean`, `${key}Ci95`]);

/** The numbers in them. */
export const meanNumbers = <Row>(columns: readonly MeanColumn<Row>[], row: Row): (number | "")[] =>
  columns.flatMap(({ value }) => {
    const { n, mean, ci95 = "" } = summaryOf(value(row));
    return [n === 0 ? "" : mean, ci95];
  });
