import type { NamedFigure } from "./figures/figure.ts";
import { figuresOf } from "./figures/index.ts";
import { classTablesOf } from "./group-classes.ts";
import { groupRuns } from "./groups.ts";
import { type Fact, factsHtml, heading } from "./html.ts";
import { iqmTable } from "./iqm-table.ts";
import { comparisonOf } from "./pairs.ts";
import { findingsOf, pairsTable } from "./pairs-table.ts";
import { settingsHtml } from "./settings-html.ts";
import { factsOf, machineOf, titleOf, unfinished } from "./summary.ts";
import { resultsTable, runsTable } from "./tables.ts";
import { writeReportFolder } from "./write.ts";
import type { RequestedTables, RunsReport } from "./paths.ts";
import type { Run } from "./read-run.ts";
import type { Table } from "./table.ts";

/** What a report says beside what it finds in its runs. */
export interface ReportOptions extends RequestedTables {
  /** In place of the one that the runs suggest. */
  readonly title?: string;
  /** Facts above those of the runs. */
  readonly facts?: readonly Fact[];
  /** Tables and figures above those of every report. */
  readonly tables?: readonly Table[];
  readonly figures?: readonly NamedFigure[];
  /** Names of the usual figures that are shown; all if left out. */
  readonly only?: readonly string[];
  /** False leaves out the table of results and the comparisons, where there are too many groups to read. */
  readonly results?: boolean;
  readonly missing?: readonly string[];
  /** How settings were chosen, a sentence that the captions of figures and of the results end with. */
  readonly selection?: string;
}

/** Writes the report of runs that are read already to the folder `outDir`. */
export async function writeRuns(
  runs: readonly Run[],
  outDir: string,
  {
    title,
    facts = [],
    tables = [],
    figures: first = [],
    only,
    results = true,
    iqm = false,
    missing: leftOut = [],
    selection,
  }: ReportOptions = {},
): Promise<RunsReport> {
  const groups = groupRuns(runs);
  const comparison = comparisonOf(results ? groups : []);
  const figures: NamedFigure[] = [...first];
  const missing: string[] = [];
  for (const { name, title, lacks, draw } of figuresOf(groups).filter(({ name }) => only?.includes(name) ?? true)) {
    const drawn = draw(groups);
    if (drawn === null) missing.push(`${title}: ${lacks(groups)}`);
    else figures.push({ name, title, ...drawn, caption: ended(drawn.caption, selection) });
  }
  const compared = comparison.pairs.length > 0 ? [pairsTable(comparison)] : [];
  const aggregate = iqm ? iqmTable(groups) : undefined;
  if (aggregate === null) missing.push("Interquartile means: no complete run has a test accuracy");
  const report = await writeReportFolder(outDir, {
    title: title ?? titleOf(groups),
    facts: [...facts, ...factsOf(groups)],
    tables: [
      ...tables,
      ...[...(results ? [resultsTable(groups, comparison)] : []), ...compared].map((table) => ({
        ...table,
        note: ended(table.note, selection),
      })),
      ...(aggregate ? [aggregate] : []),
    ],
    figures,
    missing: [...missing, ...unfinished(groups), ...leftOut],
    details: [...(results ? classTablesOf(groups) : []), runsTable(groups)],
    more: [
      heading("Settings"),
      settingsHtml(groups),
      heading("Machine and versions"),
      factsHtml(machineOf(groups)),
    ].join("\n"),
  });
  return { ...report, findings: findingsOf(comparison) };
}

const ended = (caption: string, sentence: string | undefined): string =>
  sentence === undefined ? caption : `${caption} ${sentence}`;
