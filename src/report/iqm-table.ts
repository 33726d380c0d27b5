import { percentileInterval, stratifiedBootstrap } from "../util/bootstrap.ts";
import { groupBy } from "../util/group-by.ts";
import { rng } from "../util/rng.ts";
import { interquartileMean } from "../util/statistics.ts";
import { type Group, marksBy, tellingKeys, titleOf } from "./groups.ts";
import { finite, taskOf, testAccuracy } from "./pairs.ts";
import { cellsOf, type Table } from "./table.ts";

const DRAWS = 2000;

/** A method over all of its tasks. */
interface Row {
  readonly label: string;
  /** Its test accuracies by task. */
  readonly tasks: ReadonlyMap<string, readonly number[]>;
  readonly iqm: number;
  readonly interval: readonly [number, number] | undefined;
}

/**
 * The interquartile mean of each method's test accuracy over tasks and seeds, with a stratified bootstrap interval (Agarwal et al. 2021,
 * arXiv 2108.13264); null where no complete run has a test accuracy.
 */
export function iqmTable(groups: readonly Group[]): Table | null {
  const rows = [...methodsOf(groups)].flatMap(([label, own]) => rowOf(label, own));
  if (rows.length === 0) return null;
  const kinds = new Set(rows.map(({ tasks }) => [...tasks.keys()].sort().join(" ")));
  const countOf = ({ tasks }: Row) => [...tasks.values()].flat().length;
  const blank = rows.some(({ interval }) => interval === undefined);
  return {
    name: "iqm",
    title: "Interquartile means over tasks and seeds",
    head: ["method", "tasks", "runs", "IQM of test accuracy, %", "95 % interval"],
    rows: rows.map((row) =>
      cellsOf([
        row.label,
        String(row.tasks.size),
        String(countOf(row)),
        row.iqm.toFixed(2),
        row.interval?.map((end) => end.toFixed(2)).join(" – ") ?? "–",
      ]),
    ),
    note: [
      "The mean of a method's test accuracies over all tasks and seeds without the lowest and the highest quarter of them (Agarwal et al. 2021). A task is a data set, with its part of wrong labels, and a model; accuracies count as they are.",
      ...(kinds.size > 1 ? ["Some methods have other tasks than others: their numbers cannot be compared."] : []),
      `Intervals are of ${DRAWS.toLocaleString("en")} bootstrap samples, in which the seeds of each task are drawn anew.`,
      ...(blank ? ["One takes two seeds of each task, and four runs more than tasks."] : []),
    ].join(" "),
    csv: [
      ["method", "tasks", "runs", "testAccuracyPercentIqm", "low", "high"],
      ...rows.map((row) => [
        row.label,
        row.tasks.size,
        countOf(row),
        row.iqm,
        row.interval?.[0] ?? "",
        row.interval?.[1] ?? "",
      ]),
    ],
  };
}

/** The groups of each method over all tasks: of one title, and alike in the settings by which groups of one task are told apart. */
function methodsOf(groups: readonly Group[]): ReadonlyMap<string, readonly Group[]> {
  const titles = groupBy(groups, titleOf);
  const keys = new Map(
    [...titles].map(([title, own]) => [title, [...new Set([...groupBy(own, taskOf).values()].flatMap(tellingKeys))]]),
  );
  return groupBy(groups, (group) => [titleOf(group), ...marksBy(keys.get(titleOf(group))!, group)].join(" "));
}

function rowOf(label: string, groups: readonly Group[]): Row[] {
  const tasks = new Map(
    [...groupBy(groups, taskOf)].flatMap(([task, own]) => {
      const values = own.flatMap(({ runs }) => runs).flatMap((run) => finite(testAccuracy.value(run)));
      return values.length === 0 ? [] : [[task, values] as const];
    }),
  );
  if (tasks.size === 0) return [];
  const strata = [...tasks.values()];
  const all = strata.flat();
  const drawn = stratifiedBootstrap(strata, DRAWS, rng(1, "interquartile-mean"), interquartileMean);
  const least = Math.min(...strata.map(({ length }) => length));
  return [
    {
      ...{ label, tasks, iqm: interquartileMean(all) },
      interval: percentileInterval(drawn, least, all.length - strata.length),
    },
  ];
}
