import { findRuns } from "./find-runs.ts";
import type { RequestedTables, RunsReport } from "./paths.ts";
import { writeRuns } from "./runs.ts";

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
export async function writeReport(
  runDirs: readonly string[],
  outDir: string,
  options: RequestedTables = {},
): Promise<RunsReport> {
  const { runs, leftOut } = findRuns(runDirs);
  return writeRuns(runs, outDir, { ...options, missing: leftOut });
}
