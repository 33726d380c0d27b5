import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../util/errors.ts";
import { duration } from "../format.ts";
import { emit, say } from "../ui.ts";
import { oneOf, positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface DemoOptions {
  readonly out: string;
  readonly jobs: number;
  readonly scale: "laptop" | "smoke";
  readonly json?: true;
}

export const demo: CliCommand<DemoOptions> = {
  name: "demo",
  summary: "the main job: SGD, SAM and Eigen-SAM on real images, three seeds each, with a report",
  computes: false,
  configure: (command) => {
    command
      .option("--out <dir>", "where runs and report go", "runs/demo")
      .option("--jobs <n>", "runs at a time, one thread each", positiveInteger, 2)
      .option(
        "--scale <name>",
        "laptop: within 8 minutes on 2 cores; smoke: a minute or two",
        oneOf(["laptop", "smoke"] as const),
        "laptop",
      )
      .option("--json", "{html, figures, tables, seconds} on stdout");
  },
  run: async ({ out, jobs, scale, json }) => {
    const { demoRuns } = await import("../../experiments/demo.ts");
    const { trainAll } = await import("../train/children.ts");
    const { writeReport } = await import("../../report/index.ts");
    const start = performance.now();
    const runs = demoRuns(scale).map(({ name, config }) => ({ run: join(out, name), config }));
    const strange = runs.find(({ run }) => existsSync(run) && !existsSync(join(run, "config.toml")));
    if (strange)
      throw new ConfigError(`${strange.run} is there and no run`, { run: strange.run }, "choose another --out");
    say(`${runs.length} runs, ${jobs} at a time, in ${out}; killed or stopped, the same command goes on`);
    await trainAll(runs, jobs);
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
