import type { NamedFigure } from "./figures/figure.ts";
import { figuresOf } from "./figures/index.ts";
import { findRuns } from "./find-runs.ts";
import { groupRuns } from "./groups.ts";
import { factsHtml, heading } from "./html.ts";
import { settingsHtml } from "./settings-html.ts";
import { factsOf, machineOf, titleOf, unfinished } from "./summary.ts";
import { resultsTable, runsTable } from "./tables.ts";
import { writeReportFolder } from "./write.ts";
import type { Report } from "./paths.ts";

/** Reads runs (directories, or folders of them) and writes their report to the folder `outDir`. */
export async function writeReport(runDirs: readonly string[], outDir: string): Promise<Report> {
  const { runs, leftOut } = findRuns(runDirs);
  const groups = groupRuns(runs);
  const figures: NamedFigure[] = [];
  const missing: string[] = [];
  for (const { name, title, needs, draw } of figuresOf(groups)) {
    const drawn = draw(groups);
    if (drawn === null) missing.push(`${title}: no run has ${needs}`);
    else figures.push({ name, title, ...drawn });
  }
  return writeReportFolder(outDir, {
    title: titleOf(groups),
    facts: factsOf(groups),
    tables: [resultsTable(groups)],
    figures,
    missing: [...missing, ...unfinished(groups), ...leftOut],
    details: [runsTable(groups)],
    more: [
      heading("Settings"),
      settingsHtml(groups),
      heading("Machine and versions"),
      factsHtml(machineOf(groups)),
    ].join("\n"),
  });
}
