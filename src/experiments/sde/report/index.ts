import { distinct } from "../../../report/summary.ts";
import { writeReportFolder } from "../../../report/write.ts";
import type { Report } from "../../../report/paths.ts";
import { processes } from "../processes.ts";
import { type Distance, distances } from "./distance.ts";
import { sdeFigure } from "./figure.ts";
import { readSdeRun, type SdeRun, titleOf } from "./read.ts";
import { distanceTable, driftTable } from "./table.ts";

export interface SdeReport extends Report {
  readonly distances: readonly Distance[];
}

/** Reads complete runs of one configuration and writes their report to the folder `outDir`: a figure per radius, and tables of distances. */
export async function writeSdeReport(runDirs: readonly string[], outDir: string): Promise<SdeReport> {
  const runs = runDirs.map(readSdeRun);
  const groups = [...new Set(runs.map(({ rho }) => rho))].map((rho) => runs.filter((run) => run.rho === rho));
  const all = groups.flatMap((group) => distances(group));
  const { method } = runs[0]!;
  const truncation = groups.flatMap((group) => distances(group, "exact"));
  const tables = [
    distanceTable(all, {
      name: "sde-distances",
      to: `discrete ${method}`,
      method,
      note: "Rows that run the discrete algorithm again, or its exact drift, show how large differences by chance are.",
    }),
    distanceTable(
      truncation.filter(({ process }) => processes[process].continuous),
      {
        name: "sde-truncation",
        to: "the exact-drift SDE",
        method,
        note: "All equations see the same mini-batches and the same noise, so this is the effect of truncating the series.",
      },
    ),
    driftTable(groups, method),
  ].filter(({ rows }) => rows.length > 0);
  const report = await writeReportFolder(outDir, {
    title: `Discrete ${method} and its stochastic differential equations`,
    facts: factsOf(runs),
    tables,
    figures: groups.map((group) => {
      const { rho } = group[0]!;
      return { name: `sde-rho${rho}`, title: `ρ = ${rho}`, ...sdeFigure(group) };
    }),
    missing: runs.flatMap(divergedIn),
  });
  return { ...report, distances: all };
}

function factsOf(runs: readonly SdeRun[]) {
  return [
    ["method", runs[0]!.method],
    ["radius ρ", distinct(runs.map(({ rho }) => rho))],
    ["learning rate η", distinct(runs.map(({ eta }) => eta))],
    ["steps", distinct(runs.map(({ steps }) => steps))],
    ["seeds", distinct(runs.map(({ seed }) => seed))],
    ["runs", String(runs.length)],
  ] as const;
}

const divergedIn = ({ diverged, method, rho, seed, processes: names }: SdeRun): string[] =>
  names.flatMap((name) =>
    diverged[name] === undefined
      ? []
      : [`${titleOf(name, method)} at ρ = ${rho}, seed ${seed}: diverged at step ${diverged[name]}`],
  );
