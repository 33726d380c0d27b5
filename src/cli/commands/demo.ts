import { join } from "node:path";
import type { TrainEvent } from "../../train/events.ts";
import { duration, percent, short } from "../format.ts";
import { type PoolOptions, poolOptions, runTasks } from "../run-tasks.ts";
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
      .option("--json", "{html, figures, tables, seconds} on stdout");
  },
  run: async ({ out, scale, json, ...options }) => {
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
    if (!(await runTasks(tasks, { options, out, complete, result: trained }))) return;
    const report = await writeReport(
      runs.map(({ run }) => run),
      join(out, "report"),
    );
    const seconds = (performance.now() - start) / 1000;
    if (json) emit({ ...report, seconds });
    else
      console.log(
        `${report.html}\n${report.figures.length} figures and ${report.tables.length} tables beside it; ${duration(seconds)} in all`,
      );
  },
};

/** What training came to, in a few words. */
function trained(events: readonly TrainEvent[]): string[] {
  const done = events.findLast((event) => event.event === "done");
  const refresh = events.findLast((event) => event.event === "refresh");
  return [
    ...(done
      ? [
          `test ${done.test?.accuracy === undefined ? "–" : percent(done.test.accuracy, 2)}`,
          `train loss ${done.train.loss.toFixed(3)}`,
        ]
      : []),
    ...(refresh ? [`λ₁ ${short(refresh.eigenvalue)}`] : []),
  ];
}
