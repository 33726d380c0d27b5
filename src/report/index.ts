import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAtomic } from "../util/files.ts";
import { figures } from "./figures/index.ts";
import { findRuns } from "./find-runs.ts";
import { groupRuns } from "./groups.ts";
import { type PageFigure, pageHtml } from "./html.ts";
import { pngOf, svgOf } from "./render.ts";
import { factsOf, machineOf, titleOf, unfinished } from "./summary.ts";
import { toCsv, toMarkdown } from "./table-files.ts";
import { resultsTable, runsTable } from "./tables.ts";

/** Paths of what was written. */
export interface Report {
  readonly html: string;
  readonly figures: readonly string[];
  readonly tables: readonly string[];
}

/** Reads runs (directories, or folders of them) and writes one page, its figures as SVG and PNG, and its tables. */
export async function writeReport(runDirs: readonly string[], outDir: string): Promise<Report> {
  const { runs, leftOut } = findRuns(runDirs);
  const groups = groupRuns(runs);
  const written: { figures: string[]; tables: string[] } = { figures: [], tables: [] };
  const write = (kind: "figures" | "tables", name: string, data: string | Uint8Array) => {
    mkdirSync(join(outDir, kind), { recursive: true });
    const path = join(outDir, kind, name);
    writeAtomic(path, data);
    written[kind].push(path);
  };

  const drawn: PageFigure[] = [];
  const missing: string[] = [];
  for (const { name, title, needs, draw } of figures) {
    const figure = draw(groups);
    if (figure === null) {
      missing.push(`${title}: no run has ${needs}`);
      // One of an earlier report in the same place would pass for one of these runs.
      for (const extension of ["svg", "png"]) rmSync(join(outDir, "figures", `${name}.${extension}`), { force: true });
      continue;
    }
    const svg = await svgOf(figure.spec, name);
    write("figures", `${name}.svg`, svg);
    write("figures", `${name}.png`, pngOf(svg));
    drawn.push({ title, caption: figure.caption, svg });
  }

  const [results, each] = [resultsTable(groups), runsTable(groups)];
  for (const table of [results, each]) {
    write("tables", `${table.name}.md`, toMarkdown(table));
    write("tables", `${table.name}.csv`, toCsv(table));
  }

  const html = join(outDir, "report.html");
  const page = pageHtml({
    title: titleOf(groups),
    facts: factsOf(groups),
    results,
    figures: drawn,
    missing: [...missing, ...unfinished(groups), ...leftOut],
    runs: each,
    groups,
    machine: machineOf(groups),
  });
  writeAtomic(html, page);
  return { html, ...written };
}
