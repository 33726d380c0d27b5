import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scaleNames, type Scale, type StudyName, studyQuestions } from "../../experiments/study/names.ts";
import type { StudyRun } from "../../experiments/study/run.ts";
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
  readonly scale: Scale;
  readonly out?: string;
  readonly records?: string;
  readonly only?: string;
  readonly report?: true;
  readonly json?: true;
}

const names = Object.keys(studyQuestions) as readonly StudyName[];

export const paper: CliCommand<PaperOptions> = {
  configure: (command) => {
    poolOptions(command)
      .argument(
        "<name>",
        Object.entries(studyQuestions)
          .map((entry) => entry.join(": "))
          .join("; "),
        oneOf(names),
      )
      .option(
        "--scale <name>",
        "smoke: minutes; laptop: on 2 cores about an hour, six hours of eigen-sam; full: a day (estimates)",
        oneOf(scaleNames),
        "laptop",
      )
      .option("--out <dir>", "where runs, figures and tables go (default: runs/paper-NAME-SCALE)")
      .option(
        "--records <dir>",
        "where the record of each run goes; runs that have one are done (default: OUT/records)",
      )
      .option("--only <run>", "make only this run, in this process, without figures")
      .option("--report", "make no runs; report the records that there are")
      .option("--json", "{html, figures, tables, …} on stdout");
  },
  run: async ({ scale, only, json, ...options }, [name]) => {
    const { studies } = await import("../../experiments/studies.ts");
    const study = studies[name as StudyName];
    const plan = study.plans[scale];
    if (!plan)
      throw new ConfigError(
        `the study ${name} has no scale ${scale}`,
        { name, scale },
        `scales: ${Object.keys(study.plans).join(", ")}`,
      );
    const runs = plan();
    const out = options.out ?? join("runs", `paper-${name}-${scale}`);
    assertFolderWritable(out);
    const records = options.records ?? join(out, "records");
    assertFolderWritable(records);
    if (only !== undefined) {
      const run = runs.find((r) => r.name === only);
      if (!run)
        throw new ConfigError(`the study has no run ${only}`, { only }, `runs: ${runs.map((r) => r.name).join(", ")}`);
      await makeOne(run, join(out, "runs"), records);
      return;
    }

    const begun = performance.now();
    const { readStudyRecord } = await import("../../experiments/study/record.ts");
    if (!options.report) {
      const waiting = runs.filter((run) => readStudyRecord(records, run) === undefined);
      const where = ["--scale", scale, "--out", out, "--records", records];
      const tasks = waiting.map((run) => ({ name: run.name, args: ["paper", name!, ...where, "--only", run.name] }));
      if (
        tasks.length > 0 &&
        (await runTasks(tasks, { options, out, complete: runs.length - tasks.length })) !== "done"
      )
        return;
    }
    const done = runs.flatMap((run) => readStudyRecord(records, run) ?? []);
    if (done.length === 0)
      throw new ConfigError(
        `${records} has no record of the study`,
        { records },
        "leave --report out to make the runs",
      );
    const report = await study.write(done, runs, out);
    if (json) emit(report);
    else {
      for (const finding of report.findings ?? []) console.log(`${finding}\n`);
      console.log(readFileSync(report.tables[0]!, "utf8").trimEnd());
      console.log(`${report.html}; ${duration((performance.now() - begun) / 1000)} in all`);
    }
  },
};

/** Trains one run, unless it is complete, and writes its record. One that diverged has a record too: again it would do the same. */
async function makeOne(run: StudyRun, folder: string, records: string): Promise<void> {
  const { isComplete, studyRun } = await import("../../experiments/study/run.ts");
  const { recordOf, writeStudyRecord } = await import("../../experiments/study/record.ts");
  const { DivergedError } = await import("../../train/failure.ts");
  const { progressView } = await import("../train/progress.ts");
  const { stopOnSignals } = await import("../stop.ts");
  makeFolder(folder);
  const path = join(folder, run.name);
  if (!isComplete(run, path)) {
    const { signal, status } = stopOnSignals();
    try {
      const outcome = await studyRun(run, path, progressView(), signal, registry());
      if (outcome.status === "stopped") {
        say(`stopped after step ${outcome.step}; run the same command again to resume`);
        process.exitCode = status();
        return;
      }
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      say(`${run.name} diverged: ${error.message}`);
      writeStudyRecord(records, recordOf(run, path, error));
      return;
    }
  }
  writeStudyRecord(records, recordOf(run, path));
}
