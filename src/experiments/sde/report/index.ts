import type { Table } from "../../../report/table.ts";
import { distinct } from "../../../report/summary.ts";
import { writeReportFolder } from "../../../report/write.ts";
import type { RunsReport } from "../../../report/paths.ts";
import { groupBy } from "../../../util/group-by.ts";
import { InputError } from "../../../util/errors.ts";
import { replicatesIn } from "../processes.ts";
import { type Advantage, type Comparison, comparison } from "./distance.ts";
import { sdeFigure } from "./figure.ts";
import { quantities, readSdeRun, type SdeRun, titleOf } from "./read.ts";
import { advantageTable, type DistanceTableOptions, distanceTable, driftTable, significant } from "./table.ts";

export interface SdeReport extends RunsReport, Comparison {}

/**
 * Reads runs of one configuration and writes their report to the folder `outDir`: a figure per radius, and tables of distances. `leftOut` says
 * what is not shown, with the reason.
 */
export async function writeSdeReport(
  runDirs: readonly string[],
  outDir: string,
  leftOut: readonly string[] = [],
): Promise<SdeReport> {
  // By seed, not by name: intervals are drawn over the runs in their order.
  const read = runDirs.map(readSdeRun).sort((a, b) => a.seed - b.seed);
  const complete = read.filter(({ unfinished }) => unfinished === undefined);
  // Of a run that has just begun there is nothing to compare, and seeds are compared at the steps that all of them have.
  const runs = complete.length > 0 ? complete : read.filter(({ measured }) => measured);
  if (runs.length === 0)
    throw new InputError(`${runDirs.join(", ")}: nothing is measured yet`, { runDirs }, "wait, or resume them");
  const groups = [...groupBy(runs, ({ rho }) => rho).values()].sort(([a], [b]) => a!.rho - b!.rho);
  const [all, truncation] = (["discrete", "exact"] as const).map((reference) =>
    joined(groups.map((group) => comparison(group, reference))),
  ) as [Comparison, Comparison];
  const { method } = runs[0]!;
  const report = await writeReportFolder(outDir, {
    title: `Discrete ${method} and its stochastic differential equations`,
    facts: factsOf(runs),
    tables: [
      ...tablesOf(all, {
        name: "sde-distances",
        advantage: "sde-closer",
        to: `discrete ${method}`,
        method,
        note: repeatNote(all, method),
      }),
      ...tablesOf(truncation, {
        name: "sde-truncation",
        advantage: "sde-truncation-closer",
        to: "the exact-drift SDE",
        method,
        note: "All equations see the same mini-batches and the same noise, so this is the effect of truncating the series.",
      }),
      driftTable(groups, method),
    ].filter(({ rows }) => rows.length > 0),
    figures: groups.map((group) => {
      const { rho } = group[0]!;
      return { name: `sde-rho${rho}`, title: `ρ = ${rho}`, ...sdeFigure(group) };
    }),
    missing: [
      ...runs.flatMap(divergedIn),
      ...read.flatMap((run) => unfinishedIn(run, complete.length > 0)),
      ...leftOut,
    ],
  });
  return { ...report, ...all, findings: all.advantages.flatMap((each) => findingOf(each, method)) };
}

const joined = (parts: readonly Comparison[]): Comparison => ({
  distances: parts.flatMap(({ distances }) => distances),
  advantages: parts.flatMap(({ advantages }) => advantages),
});

interface TablesOptions extends DistanceTableOptions {
  /** Name of the files of the second table. */
  readonly advantage: string;
}

function tablesOf(found: Comparison, { advantage, ...options }: TablesOptions): Table[] {
  const seeds = found.distances[0]?.seeds ?? 0;
  return [distanceTable(found, options), advantageTable(found.advantages, seeds, advantage, options.to)];
}

function repeatNote({ distances }: Comparison, method: string): string {
  const pairs = distances.find(({ process }) => process === "repeat")?.references;
  if (pairs === undefined) return `There is one path of ${method} from each start.`;
  const paths = (1 + Math.sqrt(1 + 8 * pairs)) / 2;
  const compared = pairs === 1 ? "compares the two" : `is over all ${pairs} pairs of them`;
  return `The reference is the mean of ${paths} paths of ${method} from each start; "${titleOf("repeat", method)}" ${compared}, and its interval is the size of chance.`;
}

function factsOf(runs: readonly SdeRun[]) {
  return [
    ["method", runs[0]!.method],
    ["data", distinct(runs.map(({ data }) => data))],
    ["network", distinct(runs.map(({ model }) => model))],
    ["radius ρ", distinct(runs.map(({ rho }) => rho))],
    ["learning rate η", distinct(runs.map(({ eta }) => eta))],
    ["steps", distinct(runs.map(({ steps }) => steps))],
    ["seeds", distinct(runs.map(({ seed }) => seed).sort((a, b) => a - b))],
    ["paths of the method from each start", distinct(runs.map(({ paths }) => replicatesIn(paths).length))],
    ["runs", String(runs.length)],
  ] as const;
}

const divergedIn = ({ diverged, method, rho, seed, paths }: SdeRun): string[] =>
  paths.flatMap((path) =>
    diverged[path] === undefined
      ? []
      : [`${titleOf(path, method)} at ρ = ${rho}, seed ${seed}: diverged at step ${diverged[path]}`],
  );

const unfinishedIn = ({ path, unfinished }: SdeRun, left: boolean): string[] =>
  unfinished === undefined
    ? []
    : [`${path} is not complete (${unfinished})${left ? "" : "; distances end where its paths do"}`];

/** What an interval tells, as a sentence. */
const findingOf = ({ rho, quantity, interval, closer }: Advantage, method: string): string[] =>
  closer === undefined
    ? []
    : [
        `ρ = ${rho}, ${quantities[quantity].name}: the ${closer} order is closer to discrete ${method}, ` +
          `by ${interval!
            .map((end) => significant(Math.abs(end)))
            .sort((a, b) => Number(a) - Number(b))
            .join(" to ")}`,
      ];
