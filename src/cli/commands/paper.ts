import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Scale, scaleNames } from "../../experiments/experiment.ts";
import { type ExperimentName, experimentOf, experiments } from "../../experiments/index.ts";
import type { StudyRecord } from "../../experiments/study/record.ts";
import type { StudyRun } from "../../experiments/study/run.ts";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder } from "../../util/files.ts";
import { namesOf } from "../../util/names.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { duration } from "../format.ts";
import { shellWord } from "../../sweep/slurm-script.ts";
import { pluginArguments, registry } from "../plugins.ts";
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
  readonly dryRun?: true;
  readonly iqm?: true;
  readonly json?: true;
}

const EXPERIMENTS = `
Experiments:
${Object.entries(experiments)
  .map(([name, { about }]) => `  ${name.padEnd(13)}${about}`)
  .join("\n")}
`;

export const paper: CliCommand<PaperOptions> = {
  configure: (command) => {
    poolOptions(command)
      .argument("<name>", "the experiment: see below", oneOf(namesOf(experiments)))
      .option(
        "--scale <name>",
        "smoke: minutes, to see it work; laptop: over night on 2 cores at most; full: the paper's recipe",
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
      .option("--dry-run", "print how many runs there are, and their hours and disk, measured on a few steps")
      .option("--iqm", "a table of interquartile means of the test accuracy over tasks and seeds, too")
      .option("--json", "{html, figures, tables, …} on stdout")
      .addHelpText("after", EXPERIMENTS);
  },
  run: async ({ scale, only, json, ...asked }, [given]) => {
    const name = given as ExperimentName;
    const entry = experimentOf(name);
    const out = asked.out ?? join("runs", `paper-${name}-${scale}`);
    if ("command" in entry) return delegate(entry.command, out, { scale, ...(json ? { json } : {}), ...asked });
    const { experiment } = await entry.load();
    if (experiment.ownReport && asked.iqm)
      throw new ConfigError(`the report of ${name} has no interquartile means`, { name }, "leave --iqm out");
    const options = experiment.timed ? { ...asked, jobs: 1 } : asked;
    const plan = experiment.plans[scale];
    if (!plan)
      throw new ConfigError(
        `the experiment ${name} has no scale ${scale}`,
        { name, scale },
        `scales: ${Object.keys(experiment.plans).join(", ")}`,
      );
    const records = options.records ?? join(out, "records");
    const { readStudyRecord } = await import("../../experiments/study/record.ts");
    const recordsOf = (runs: readonly StudyRun[]) => runs.flatMap((run) => readStudyRecord(records, run) ?? []);
    const all = (): StudyRun[] => {
      // Asked twice: what the first runs decide is known only when their records are.
      const first = plan([]);
      return [...plan(recordsOf(first))];
    };
    // Those that are planned when others are made are told here, too.
    const expected = (runs: readonly StudyRun[]) => experiment.forecast?.(scale, recordsOf(runs)) ?? runs;
    if (options.dryRun) return dryRun(expected(all()), options.jobs, json === true);
    for (const folder of [out, records]) assertFolderWritable(folder);
    if (only !== undefined) {
      const runs = all();
      const run = runs.find((r) => r.name === only);
      if (!run)
        throw new ConfigError(`${name} has no run ${only}`, { only }, `runs: ${runs.map((r) => r.name).join(", ")}`);
      await makeOne(run, join(out, "runs"), records);
      return;
    }

    const begun = performance.now();
    const where = ["--scale", scale, "--out", out, "--records", records];
    const waitingOf = (runs: readonly StudyRun[]) => runs.filter((run) => readStudyRecord(records, run) === undefined);
    let runs = all();
    while (!options.report) {
      const waiting = waitingOf(runs);
      const tasks = waiting.map((run) => ({ name: run.name, args: ["paper", name, ...where, "--only", run.name] }));
      if (tasks.length === 0) break;
      const complete = runs.length - tasks.length;
      const ended = await runTasks(tasks, { options, out, complete });
      if (ended === "stopped") return;
      runs = all();
      // The others are reported; what failed is not tried again by itself.
      if (ended === "failed") break;
    }
    const done: StudyRecord[] = recordsOf(runs);
    if (done.length === 0 && !options.report) return;
    if (done.length === 0)
      throw new ConfigError(
        `${records} has no record of the experiment`,
        { records },
        "leave --report out to make the runs",
      );
    const command = [
      ...["eigensam", "paper", name, "--scale", scale],
      ...(asked.out === undefined ? [] : ["--out", asked.out]),
      ...(asked.records === undefined ? [] : ["--records", asked.records]),
      ...pluginArguments(),
    ];
    const report = await experiment.write({
      ...{ records: done, planned: expected(runs), scale, out, iqm: asked.iqm ?? false },
      command: command.map(shellWord).join(" "),
    });
    if (json) emit(report);
    else {
      for (const finding of report.findings ?? []) console.log(`${finding}\n`);
      console.log(readFileSync(report.tables[0]!, "utf8").trimEnd());
      console.log(`${report.html}; ${duration((performance.now() - begun) / 1000)} in all`);
    }
  },
};

/** Makes an experiment that is another command's, or reports the run directories that it has. */
async function delegate(
  name: "sde",
  out: string,
  { scale, json, jobs, failFast, report, dryRun, ...rest }: PaperOptions,
): Promise<void> {
  const refused = (["records", "only", "iqm"] as const).find((key) => rest[key] !== undefined);
  if (refused !== undefined)
    throw new ConfigError(
      `eigensam ${name} makes this experiment, and has no --${refused}`,
      { refused },
      `eigensam ${name} --help lists its options; its run directories are its records, and eigensam report reads them`,
    );
  const format = json ? { json } : {};
  if (report) {
    const { report: command } = await import("./report.ts");
    await command.run({ out, ...format }, [out]);
    return;
  }
  const { sde } = await import("./sde.ts");
  const options = { ...format, ...(failFast ? { failFast } : {}), ...(dryRun ? { dryRun } : {}) };
  await sde.run({ scale, out, jobs, ...options }, []);
}

/** Says what the runs of an experiment cost. */
async function dryRun(runs: readonly StudyRun[], jobs: number, json: boolean): Promise<void> {
  const { sayCosts } = await import("../train/costs.ts");
  const { problems } = await import("../train/problems.ts");
  await sayCosts(runs, problems(), { jobs, json });
}

/** Trains one run, unless it is complete, and writes its record. One that diverged has a record too: again it would do the same. */
async function makeOne(run: StudyRun, folder: string, records: string): Promise<void> {
  const { isComplete } = await import("../../experiments/study/run.ts");
  const { trainOrResume } = await import("../../train/run-training.ts");
  const { recordOf, writeStudyRecord } = await import("../../experiments/study/record.ts");
  const { DivergedError } = await import("../../train/failure.ts");
  const { progressView } = await import("../train/progress.ts");
  const { stopOnSignals } = await import("../stop.ts");
  makeFolder(folder);
  const path = join(folder, run.name);
  const trained = !isComplete(run, path);
  if (trained) {
    const { signal, status } = stopOnSignals();
    try {
      const outcome = await trainOrResume({
        ...{ config: run.config, run: path, registry: registry() },
        ...{ listen: progressView(), stop: signal },
      });
      if (outcome.status === "stopped") {
        say(`stopped after step ${outcome.step}; run the same command again to resume`);
        process.exitCode = status();
        return;
      }
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      say(`${run.name} diverged: ${error.message}`);
      writeStudyRecord(records, recordOf(run, path, { diverged: error }));
      return;
    }
  }
  writeStudyRecord(records, recordOf(run, path, trained ? { memoryMiB: process.resourceUsage().maxRSS / 1024 } : {}));
}
