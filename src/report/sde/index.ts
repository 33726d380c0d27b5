import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeAtomic } from "../../util/files.ts";
import { sdeFigure } from "../figures/sde.ts";
import { pngOf, svgOf } from "../render.ts";
import { toCsv, toMarkdown } from "../table-files.ts";
import type { Table } from "../tables.ts";
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

/** Reads complete runs of one configuration and writes a figure per radius, as SVG and PNG, and two tables. */
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
  const tables = [distanceTable(all, method), driftTable(groups, method)];
  const paths = tables.flatMap((table) => [
    write(`${table.name}.md`, toMarkdown(table)),
    write(`${table.name}.csv`, toCsv(table)),
  ]);
  return { figures, tables: paths, distances: all, shown: tables };
}
