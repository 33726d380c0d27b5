import { assertFolderWritable } from "../../util/places.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface ReportOptions {
  readonly out: string;
  readonly iqm?: true;
  readonly json?: true;
}

export const report: CliCommand<ReportOptions> = {
  configure: (command) => {
    command
      .argument("<runs...>", "run directories, or folders of them")
      .option("--out <dir>", "where the report goes", "report")
      .option("--iqm", "a table of interquartile means of the test accuracy over tasks and seeds, too")
      .option("--json", "{html, figures, tables, findings} on stdout");
  },
  run: async ({ out, iqm = false, json }, runs) => {
    assertFolderWritable(out);
    const { writeReports } = await import("../../experiments/report.ts");
    for (const report of await writeReports(runs, out, { iqm }))
      if (json) emit(report);
      else console.log([...report.findings, report.html, ...report.figures, ...report.tables].join("\n"));
  },
};
