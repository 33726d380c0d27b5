import { assertFolderWritable } from "../../util/places.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface ReportOptions {
  readonly out: string;
  readonly json?: true;
}

export const report: CliCommand<ReportOptions> = {
  configure: (command) => {
    command
      .argument("<runs...>", "run directories, or folders of them")
      .option("--out <dir>", "where the report goes", "report")
      .option("--json", "{html, figures, tables, findings} on stdout");
  },
  run: async ({ out, json }, runs) => {
    assertFolderWritable(out);
    const { writeReports } = await import("../../experiments/report.ts");
    for (const report of await writeReports(runs, out))
      if (json) emit(report);
      else console.log([...report.findings, report.html, ...report.figures, ...report.tables].join("\n"));
  },
};
