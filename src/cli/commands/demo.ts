import { join } from "node:path";
import { assertFolderWritable } from "../../util/places.ts";
import { duration } from "../format.ts";
import { type PoolOptions, poolOptions, runTasks } from "../run-tasks.ts";
import { resultOf } from "../train/result.ts";
import { emit } from "../ui.ts";
import { oneOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface DemoOptions extends PoolOptions {
  readonly out: string;
  readonly scale: "laptop" | "smoke";
  readonly json?: true;
}

export const demo: CliCommand<DemoOptions> = {
  name: "demo",
  summary: "train with SGD, SAM and Eigen-SAM on real images, three seeds each, and write a report",
  computes: false,
  configure: (command) => {
    poolOptions(command)
      .option("--out <dir>", "where runs and report go", "runs/demo")
      .option(
        "--scale <name>",
        "laptop: within 8 minutes on 2 cores; smoke: a minute or two",
        oneOf(["laptop", "smoke"] as const),
        "laptop",
      )
      .option("--json", "{html, figures, tables, findings, seconds} on stdout");
  },
  run: async ({ out, scale, json, ...options }) => {
    assertFolderWritable(out);
    const { demoRuns } = await import("../../experiments/demo.ts");
    const { trainRun } = await import("../../train/run-dir.ts");
    const { writeReport } = await import("../../report/index.ts");
    const start = performance.now();
    const runs = demoRuns(scale).map(({ name, config }) => ({ name, run: join(out, name), config }));
    for (const { run, config } of runs) trainRun.ensure(run, config);
    const tasks = runs
      .filter(({ run }) => trainRun.readRecord(run)?.status !== "done")
      .map(({ name, run }) => ({ name, args: ["train", "--resume", run, "--json"] }));
    const complete = runs.length - tasks.length;
    if ((await runTasks(tasks, { options, out, complete, result: resultOf })) !== "done") return;
    const report = await writeReport(
      runs.map(({ run }) => run),
      join(out, "report"),
    );
    const seconds = (performance.now() - start) / 1000;
    if (json) emit({ ...report, seconds });
    else
      console.log(
        `${[...report.findings, report.html].join("\n")}\n${report.figures.length} figures and ${report.tables.length} tables beside it; ${duration(seconds)} in all`,
      );
  },
};
