import type { NamedFigure } from "./figures/figure.ts";
import { figuresOf } from "./figures/index.ts";
import { findRuns } from "./find-runs.ts";
import { groupRuns } from "./groups.ts";
import { factsHtml, heading } from "./html.ts";
import { comparisonOf } from "./pairs.ts";
import { findingsOf, pairsTable } from "./pairs-table.ts";
import { settingsHtml } from "./settings-html.ts";
import { factsOf, machineOf, titleOf, unfinished } from "./summary.ts";
import { resultsTable, runsTable } from "./tables.ts";
import { writeReportFolder } from "./write.ts";
import type { RunsReport } from "./paths.ts";

/**
 * Reads runs (directories, or folders of them) and writes their report to the folder `outDir`: report.html, figures/
 * and tables/. Files of an earlier report there are replaced; other files stay.
 *
 * @throws InputError where there is no run, or one is damaged
 * @throws ConfigError where the runs cannot stand in one report
 * @example
 * ```ts
 * const model = { name: "mlp", width: 4 } as const;
 * await train({ data: "fashion-mini", model, epochs: 1, batch: 1000, method: "sgd", dir: "runs/reported" }).done;
 * const { html } = await writeReport(["runs"], "report");
 * console.log(html.endsWith("report.html")); // true
 * ```
 */
export async function writeReport(runDirs: readonly string[], outDir: string): Promise<RunsReport> {
  const { runs, leftOut } = findRuns(runDirs);
  const groups = groupRuns(runs);
  const comparison = comparisonOf(groups);
  const figures: NamedFigure[] = [];
  const missing: string[] = [];
  for (const { name, title, lacks, draw } of figuresOf(groups)) {
    const drawn = draw(groups);
    if (drawn === null) missing.push(`${title}: ${lacks(groups)}`);
    else figures.push({ name, title, ...drawn });
  }
  const report = await writeReportFolder(outDir, {
    title: titleOf(groups),
    facts: factsOf(groups),
    tables: [resultsTable(groups, comparison), ...(comparison.pairs.length > 0 ? [pairsTable(comparison)] : [])],
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
  return { ...report, findings: findingsOf(comparison) };
}
