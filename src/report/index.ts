import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeAtomic } from "../util/files.ts";
import { figures } from "./figures/index.ts";
import { type Group, groupRuns } from "./groups.ts";
import { type PageFigure, page } from "./html.ts";
import { findRuns, readRun } from "./read-run.ts";
import { pngOf, svgOf } from "./render.ts";
import { resultsTable, toCsv, toMarkdown } from "./tables.ts";

export interface Report {
  readonly html: string;
  readonly figures: readonly string[];
  readonly tables: readonly string[];
}

/** Reads runs (directories, or folders of them) and writes one page, its figures as SVG and PNG, and its tables. */
export async function writeReport(paths: readonly string[], out: string): Promise<Report> {
  const groups = groupRuns(findRuns(paths).map(readRun));
  for (const folder of ["figures", "tables"]) mkdirSync(join(out, folder), { recursive: true });
  const written: { figures: string[]; tables: string[] } = { figures: [], tables: [] };
  const write = (kind: "figures" | "tables", name: string, data: string | Uint8Array) => {
    const path = join(out, kind, name);
    writeAtomic(path, data);
    written[kind].push(path);
  };

  const drawn: PageFigure[] = [];
  const missing: string[] = [];
  for (const { name, title, needs, draw } of figures) {
    const figure = draw(groups);
    if (figure === null) {
      missing.push(`${title} (needs ${needs})`);
      continue;
    }
    const svg = await svgOf(figure.spec);
    write("figures", `${name}.svg`, svg);
    write("figures", `${name}.png`, pngOf(svg));
    drawn.push({ title, caption: figure.caption, svg });
  }
  const table = resultsTable(groups);
  write("tables", `${table.name}.md`, toMarkdown(table));
  write("tables", `${table.name}.csv`, toCsv(table));

  const html = join(out, "report.html");
  writeAtomic(html, page({ ...headline(groups), groups, tables: [table], figures: drawn, missing }));
  return { html, ...written };
}

function headline(groups: readonly Group[]): { title: string; lead: string } {
  const records = groups.flatMap(({ runs }) => runs.map(({ record }) => record));
  const distinct = (values: readonly (string | number)[]) => [...new Set(values)].join(", ");
  const models = distinct(records.map(({ config }) => config.model.name));
  const sets = distinct(records.map(({ data }) => data.name));
  const epochs = distinct(records.map(({ config }) => config.train.epochs));
  const seeds = distinct(records.map(({ config }) => config.seed));
  const unfinished = records.filter(({ status }) => status !== "done").length;
  return {
    title: `${groups.map(({ label }) => label).join(", ")} on ${sets}`,
    lead: `${models}, ${epochs} epochs, seed${seeds.includes(",") ? "s" : ""} ${seeds}; ${records.length} run${records.length === 1 ? "" : "s"}${unfinished > 0 ? `, ${unfinished} of them not complete` : ""}.`,
  };
}
