import type { FoundSummaries } from "../../experiments/run-list/index.ts";
import { oneLine } from "../../report/printable.ts";
import { say } from "../ui.ts";
import { cutTo } from "../width.ts";
import { cellOf, UNKNOWN } from "./cells.ts";
import type { RunColumn } from "./columns.ts";
import { type FitColumn, fitTable } from "./fit-table.ts";

/** As many runs are compared side by side, where there is room; more have a line each. */
const SIDE_BY_SIDE = 6;

/** Prints a table of runs that fits the terminal, and a line for each damaged one. */
export function showRuns(
  columns: readonly RunColumn[],
  { runs, damaged }: FoundSummaries,
  { compare = false } = {},
): void {
  const room = process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
  const drawn = columns
    .map(({ key, rank, optional }): FitColumn & Pick<RunColumn, "optional"> => ({
      title: oneLine(key.title),
      align: runs.every((run) => typeof (key.of(run) ?? "") === "string") ? "left" : "right",
      cells: runs.map((run) => cellOf(key, run)),
      shrinks: key.form === "text",
      rank,
      ...(optional ? { optional } : {}),
    }))
    .filter(({ cells, optional }) => !optional || cells.some((cell) => cell !== UNKNOWN));
  if (runs.length > 0) {
    const beside = compare && runs.length <= SIDE_BY_SIDE ? sideBySide(drawn, room) : undefined;
    const { lines, leftOut } = beside ?? fitTable(drawn, room);
    for (const line of lines) console.log(line);
    if (leftOut.length > 0) say(`no room for ${leftOut.join(", ")}; --columns chooses`);
  }
  for (const { name, error = "" } of damaged) console.log(cutTo(oneLine(`${name}  damaged  ${error}`), room));
}

/** A column per run, where all of them have room. */
function sideBySide(columns: readonly FitColumn[], room: number) {
  const [names, ...rest] = columns;
  const titles: FitColumn = { title: "", align: "left", cells: rest.map(({ title }) => title) };
  const each = names!.cells.map(
    (title, run): FitColumn => ({ title, align: "right", cells: rest.map(({ cells }) => cells[run]!), shrinks: true }),
  );
  const fitted = fitTable([titles, ...each], room);
  return fitted.fits ? fitted : undefined;
}
