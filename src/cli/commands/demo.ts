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
  configure: (command) => {
    poolOptions(command)
      .option("--out <dir>", "where runs and report go", "runs/demo")
      .option(
        "--scale <name>",
        "laptop: within 8 minutes on 2 cores; smoke: a minute",
        oneOf(["laptop", "smoke"] as const),
        "laptop",
      )
      .option("--json", "{reports: [{title, html, figures, tables, findings}], seconds} on stdout");
  },
  run: async ({ out, scale, json, ...options }) => {
    assertFolderWritable(out);
    const { demoSeries } = await import("../../experiments/demo.ts");
    const { trainRun } = await import("../../train/run-dir.ts");
    const { writeReport } = await import("../../report/index.ts");
    const start = performance.now();
    const series = demoSeries(scale);
    const runs = series.flatMap((one) => one.runs).map(({ name, config }) => ({ name, run: join(out, name), config }));
    for (const { run, config } of runs) await trainRun.ensure(run, config);
    const tasks = runs
      .filter(({ run }) => trainRun.readRecord(run)?.status !== "done")
      .map(({ name, run }) => ({ name, args: ["train", "--resume", run, "--json"] }));
    const complete = runs.length - tasks.length;
    if ((await runTasks(tasks, { options, out, complete, result: resultOf })) !== "done") return;
    const reports: ({ readonly title: string } & Awaited<ReturnType<typeof writeReport>>)[] = [];
    for (const one of series) {
      const paths = one.runs.map(({ name }) => join(out, name));
      reports.push({ title: one.title, ...(await writeReport(paths, join(out, one.report))) });
    }
    const seconds = (performance.now() - start) / 1000;
    if (json) emit({ reports, seconds });
    else {
      for (const { title, findings, html } of reports) console.log([`${title}:`, ...findings, html, ""].join("\n"));
      console.log(`${duration(seconds)} in all`);
    }
  },
};
