import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plannedRuns, sdeSettings } from "../../experiments/sde/config.ts";
import type { SdeEvent } from "../../experiments/sde/events.ts";
import { ConfigError } from "../../util/errors.ts";
import { configFrom } from "../config-file.ts";
import { duration } from "../format.ts";
import { seedList } from "../sde/seeds.ts";
import { settingsHelp } from "../train/settings-help.ts";
import { emit, say } from "../ui.ts";
import { positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface SdeOptions {
  readonly seeds?: readonly number[];
  readonly jobs: number;
  readonly out?: string;
  readonly resume?: string;
  readonly json?: true;
}

export const sde: CliCommand<SdeOptions> = {
  name: "sde",
  summary: "discrete SAM beside its SGD, second-order and third-order stochastic differential equations",
  computes: false,
  configure: (command) => {
    command
      .argument("[settings...]", "CONFIG.toml first if any, then key=value settings, which win")
      .option("--seeds <list>", "seeds, as in 1..5 or 1,2,7 (default: the setting seed)", seedList)
      .option("--jobs <n>", "runs at a time, each in a process of its own", positiveInteger, 2)
      .option("--out <dir>", "where runs, figures and tables go; the same command goes on there (default: runs/sde)")
      .option("--resume <run>", "go on with one run that was stopped or killed, bit for bit, without figures")
      .option("--json", "events as JSON lines on stdout")
      .addHelpText("after", () => settingsHelp(sdeSettings.list));
  },
  run: async (options, args) => {
    if (options.resume === undefined) await runMany(options, args);
    else if (args.length > 0 || options.seeds || options.out !== undefined)
      throw new ConfigError(
        "--resume goes on with the settings of the run; others cannot be given",
        { resume: options.resume, args },
        "change settings in new runs",
      );
    else await runOne(options.resume, options.json === true);
  },
};

/** One run in this process. */
async function runOne(run: string, json: boolean): Promise<void> {
  const { sdeRun } = await import("../../experiments/sde/run-dir.ts");
  const { runSde } = await import("../../experiments/sde/run.ts");
  const { sdeProgress } = await import("../sde/progress.ts");
  const { stopOnSignals } = await import("../train/stop.ts");
  const config = sdeRun.readConfig(run);
  sdeRun.assertResumable(run);
  const show = sdeProgress(1, config.sde.steps, 0);
  const listen = (event: SdeEvent) => (json ? emit(event) : show(event));
  const { signal, status } = stopOnSignals();
  if ((await runSde({ config, run, listen, stop: signal })) === "stopped") {
    say(`stopped; go on with: eigensam sde --resume ${run}`);
    process.exitCode = status();
  }
}

/** Every radius with every seed in child processes, then the figures. */
async function runMany({ seeds, jobs, out = "runs/sde", json }: SdeOptions, args: readonly string[]): Promise<void> {
  const config = configFrom(args, sdeSettings.resolve);
  const { sdeRun } = await import("../../experiments/sde/run-dir.ts");
  const { loadProblem } = await import("../../experiments/sde/problem.ts");
  const { runAll } = await import("../sde/children.ts");
  const { sdeProgress } = await import("../sde/progress.ts");
  const { stopOnSignals } = await import("../train/stop.ts");
  const { writeSdeReport } = await import("../../experiments/sde/report/index.ts");
  const begun = performance.now();
  // Settings that do not fit the images are one error here, not one in every child.
  await loadProblem(config);
  const planned = plannedRuns(config, seeds ?? [config.seed]);
  const runs = planned.map(({ name }) => join(out, name));
  planned.forEach(({ config: own }, i) => {
    sdeRun.ensure(runs[i]!, own);
  });
  const complete = runs.filter((run) => sdeRun.readRecord(run)?.status === "done").length;
  say(`${runs.length} runs, ${jobs} at a time, in ${out}; killed or stopped, the same command goes on`);
  if (complete > 0) say(`${complete} of them ${complete === 1 ? "is" : "are"} complete already`);

  const show = sdeProgress(runs.length, config.sde.steps, complete);
  const listen = (event: SdeEvent) => {
    show(event);
    if (json) emit(event);
  };
  const { signal, status } = stopOnSignals();
  if (!(await runAll(runs, { jobs, listen, stop: signal }))) {
    say("stopped; the same command goes on");
    process.exitCode = status();
    return;
  }
  const { html, figures, tables, distances } = await writeSdeReport(runs, out);
  const seconds = (performance.now() - begun) / 1000;
  if (json) emit({ event: "report", out, html, figures, tables, distances, seconds });
  else {
    for (const path of tables.filter((name) => name.endsWith(".md"))) console.log(readFileSync(path, "utf8"));
    console.log(`${html}; ${duration(seconds)} in all`);
  }
}
