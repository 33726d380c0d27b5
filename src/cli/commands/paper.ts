import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder } from "../../util/files.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { duration } from "../format.ts";
import { registry } from "../plugins.ts";
import { type PoolOptions, poolOptions, runTasks } from "../run-tasks.ts";
import { emit, say } from "../ui.ts";
import { oneOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface PaperOptions extends PoolOptions {
  readonly scale: "smoke" | "laptop" | "full";
  readonly out?: string;
  readonly only?: string;
  readonly json?: true;
}

const studies = ["eigenvector"] as const;

export const paper: CliCommand<PaperOptions> = {
  configure: (command) => {
    poolOptions(command)
      .argument("<name>", `study: ${studies.join(", ")}`, oneOf(studies))
      .option(
        "--scale <name>",
        "smoke: minutes; laptop: three quarters of an hour on 2 cores; full: a day",
        oneOf(["smoke", "laptop", "full"] as const),
        "laptop",
      )
      .option("--out <dir>", "where runs, figures and tables go (default: runs/paper-NAME-SCALE)")
      .option("--only <run>", "make only this run, in this process, without figures")
      .option("--json", "{html, figures, tables, rows} on stdout");
  },
  run: async ({ scale, only, json, ...options }, [name]) => {
    const { studyRuns } = await import("../../experiments/eigenvector/plan.ts");
    const out = options.out ?? join("runs", `paper-${name}-${scale}`);
    assertFolderWritable(out);
    const folder = join(out, "runs");
    const runs = studyRuns(scale);
    const { isComplete, readStudy, studyRun } = await import("../../experiments/eigenvector/run.ts");
    const path = (run: string) => join(folder, run);
    makeFolder(folder);
    if (only !== undefined) {
      const run = runs.find((r) => r.name === only);
      if (!run)
        throw new ConfigError(`the study has no run ${only}`, { only }, `runs: ${runs.map((r) => r.name).join(", ")}`);
      const { progressView } = await import("../train/progress.ts");
      const { stopOnSignals } = await import("../stop.ts");
      const { signal, status: ended } = stopOnSignals();
      const outcome = await studyRun(run, path(only), progressView(), signal, registry());
      if (outcome.status === "stopped") {
        say(`stopped after step ${outcome.step}; run the same command again to resume`);
        process.exitCode = ended();
      }
      return;
    }

    const begun = performance.now();
    const waiting = runs.filter((run) => !isComplete(run, path(run.name)));
    const tasks = waiting.map((run) => ({
      name: run.name,
      args: ["paper", name!, "--scale", scale, "--out", out, "--only", run.name],
    }));
    if ((await runTasks(tasks, { options, out, complete: runs.length - tasks.length })) !== "done") return;
    const { writeStudy } = await import("../../experiments/eigenvector/report/index.ts");
    const results = runs.map((run) => readStudy(run, path(run.name)));
    const report = await writeStudy(results, out);
    if (json) emit(report);
    else {
      console.log(readFileSync(report.tables[0]!, "utf8").trimEnd());
      console.log(`${report.html}; ${duration((performance.now() - begun) / 1000)} in all`);
    }
  },
};
