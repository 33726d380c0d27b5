import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { processes } from "../processes.ts";
import { writeAtomic } from "../../../util/files.ts";
import { sdeFigure } from "./figure.ts";
import { pngOf, svgOf } from "../../../report/render.ts";
import { toCsv, toMarkdown } from "../../../report/table-files.ts";
import type { Table } from "../../../report/tables.ts";
import { type Distance, distances } from "./distance.ts";
import { readSdeRun } from "./read.ts";
import { distanceTable, driftTable } from "./table.ts";

export interface SdeReport {
  /** Paths of what was written. */
  readonly figures: readonly string[];
  readonly tables: readonly string[];
  readonly distances: readonly Distance[];
  readonly shown: readonly Table[];
}

/** Reads complete runs of one configuration and writes a figure per radius, as SVG and PNG, and the tables. */
export async function writeSdeReport(runDirs: readonly string[], outDir: string): Promise<SdeReport> {
  const runs = runDirs.map(readSdeRun);
  const groups = [...new Set(runs.map(({ rho }) => rho))].map((rho) => runs.filter((run) => run.rho === rho));
  const figures: string[] = [];
  const write = (name: string, data: string | Uint8Array) => {
    const path = join(outDir, name);
    writeAtomic(path, data);
    return path;
  };
  mkdirSync(outDir, { recursive: true });
  for (const group of groups) {
    const name = `sde-rho${group[0]!.rho}`;
    const svg = await svgOf(sdeFigure(group).spec, name.replaceAll(".", "-"));
    figures.push(write(`${name}.svg`, svg), write(`${name}.png`, pngOf(svg)));
  }
  const all = groups.flatMap((group) => distances(group));
  const { method } = runs[0]!;
  const truncation = groups.flatMap((group) => distances(group, "exact"));
  const tables = [
    distanceTable(all, {
      name: "sde-distances",
      to: `discrete ${method}`,
      method,
      note: "Rows that run the discrete algorithm again, or its exact drift, show what chance makes of no difference.",
    }),
    distanceTable(
      truncation.filter(({ process }) => processes[process].continuous),
      {
        name: "sde-truncation",
        to: "the exact-drift SDE",
        method,
        note: "All equations see the same mini-batches and the same noise, so this is what cutting the series does.",
      },
    ),
    driftTable(groups, method),
  ].filter(({ rows }) => rows.length > 0);
  const paths = tables.flatMap((table) => [
    write(`${table.name}.md`, toMarkdown(table)),
    write(`${table.name}.csv`, toCsv(table)),
  ]);
  return { figures, tables: paths, distances: all, shown: tables };
}
