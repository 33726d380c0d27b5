import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plannedRuns, sdeSettingsOf } from "../../experiments/sde/config.ts";
import { type SdeScaleName, sdeScaleNames, sdeScales } from "../../experiments/sde/scales.ts";
import type { SdeCost } from "../../experiments/sde/cost.ts";
import type { SdeEvent } from "../../experiments/sde/events.ts";
import { ConfigError } from "../../util/errors.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { configOf, givenIn } from "../config-file.ts";
import { duration, percent } from "../format.ts";
import { pluginArguments, registry } from "../plugins.ts";
import { type AskedPool, askedPoolOptions, assertNoPool, poolOf, runTasks } from "../run-tasks.ts";
import { seedList } from "../seeds.ts";
import { settingsHelp } from "../train/settings-help.ts";
import { emit, say } from "../ui.ts";
import { oneOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

export interface SdeOptions extends AskedPool {
  readonly scale: SdeScaleName;
  readonly seeds?: readonly number[];
  readonly out?: string;
  readonly resume?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

export const sde: CliCommand<SdeOptions> = {
  configure: (command) => {
    askedPoolOptions(command)
      .argument("[settings...]", "CONFIG.toml first if any, then key=value settings, which win")
      .option(
        "--scale <name>",
        "smoke: minutes, 5 seeds; laptop: 20 seeds, an hour on 2 cores; full: 2.5 times the steps, 5 times the images",
        oneOf(sdeScaleNames),
        "laptop",
      )
      .option("--seeds <list>", "seeds, as in 1..5 or 1,2,7 (default: the setting seed, or those of --scale)", seedList)
      .option("--out <dir>", "where runs, figures and tables go; run again to resume there (default: runs/sde)")
      .option("--resume <run>", "continue one run that was stopped or killed, bit for bit, without figures")
      .option("--dry-run", "print how many runs there are, and their hours and disk, measured on a few steps")
      .option("--json", "events as JSON lines on stdout")
      .addHelpText("after", () => settingsHelp(sdeSettingsOf(registry()).list));
  },
  run: async (options, args) => {
    if (options.resume === undefined) await runMany(options, args);
    else if (args.length > 0 || options.seeds || options.out !== undefined || options.dryRun)
      throw new ConfigError(
        "--resume takes the settings of the run; others cannot be given",
        { resume: options.resume, args },
        "change settings in new runs",
      );
    else {
      assertNoPool(options, "leave it out; the command that made the runs resumes them all");
      await runOne(options.resume, options.json === true);
    }
  },
};

/** One run in this process. */
async function runOne(run: string, json: boolean): Promise<void> {
  const { sdeRunOf } = await import("../../experiments/sde/run-dir.ts");
  const { runSde } = await import("../../experiments/sde/run.ts");
  const { stopOnSignals } = await import("../stop.ts");
  const { stepProgress } = await import("../step-progress.ts");
  const sdeRun = sdeRunOf(registry());
  const config = sdeRun.readConfig(run);
  sdeRun.assertResumable(run);
  const progress = stepProgress();
  const listen = (event: SdeEvent) => {
    if (json) emit(event);
    if (event.event === "wait") say(event.message);
    if (event.event === "start" || event.event === "measure") progress(event.step, config.sde.steps);
  };
  const { signal, status } = stopOnSignals();
  if ((await runSde({ config, run, listen, stop: signal, registry: registry() })) === "stopped") {
    say(`stopped; resume with: ${["eigensam sde --resume", run, ...pluginArguments()].join(" ")}`);
    process.exitCode = status();
  }
}

/** Every radius with every seed in child processes, then the figures. */
async function runMany(
  { scale, seeds, out = "runs/sde", dryRun, json, ...options }: SdeOptions,
  args: readonly string[],
): Promise<void> {
  const { settings, seeds: usual } = sdeScales[scale];
  const [toml, given, source] = givenIn(args);
  // Settings on the command line win over those of the scale, which win over the file's.
  const config = configOf([toml, [...settings, ...given], source], sdeSettingsOf(registry()));
  const { sdeRunOf } = await import("../../experiments/sde/run-dir.ts");
  const { loadProblem } = await import("../../experiments/sde/problem.ts");
  const { writeSdeReport } = await import("../../experiments/sde/report/index.ts");
  const sdeRun = sdeRunOf(registry());
  const begun = performance.now();
  if (!dryRun) assertFolderWritable(out);
  // Settings that do not fit the images are one error here, not one in every child.
  const problem = await loadProblem(config, registry());
  const drawn = config.seed === undefined ? Array.from({ length: usual }, (_, i) => i + 1) : [config.seed];
  const planned = plannedRuns(config, seeds ?? drawn).map((each) => ({ ...each, run: join(out, each.name) }));
  if (dryRun) {
    const { sdeCost } = await import("../../experiments/sde/cost.ts");
    // Neither the seed nor the radius changes what a step costs.
    sayCost(planned.length, await sdeCost(planned[0]!.config, problem), {
      ...{ jobs: poolOf(options).jobs, json: json === true },
    });
    return;
  }
  for (const { run, config: own } of planned) await sdeRun.ensure(run, own);
  const runs = planned.map(({ run }) => run);
  const tasks = planned
    .filter(({ run }) => sdeRun.readRecord(run)?.status !== "done")
    .map(({ name, run }) => ({ name, args: ["sde", "--resume", run, "--json"] }));
  const complete = runs.length - tasks.length;
  const onLine = (event: SdeEvent) => {
    if (json) emit(event);
    if (event.event === "diverged")
      say(`  ρ ${event.rho} seed ${event.seed}: ${event.process} diverged by step ${event.step}`);
  };
  if ((await runTasks(tasks, { options: poolOf(options), out, complete, onLine, result: lastMeasurement })) !== "done")
    return;
  const { html, figures, tables, distances, advantages } = await writeSdeReport(runs, out);
  const seconds = (performance.now() - begun) / 1000;
  if (json) emit({ event: "report", out, html, figures, tables, distances, advantages, seconds });
  else {
    for (const path of tables.filter((name) => name.endsWith(".md"))) console.log(readFileSync(path, "utf8"));
    console.log(`${html}; ${duration(seconds)} in all`);
  }
}

/** Says what so many runs cost. */
function sayCost(runs: number, cost: SdeCost, { jobs, json }: { readonly jobs: number; readonly json: boolean }): void {
  const [totalSeconds, diskMiB] = [runs * cost.totalSeconds, runs * cost.diskMiB];
  if (json) {
    emit({ event: "dry-run", runs, run: cost, jobs, totalSeconds, diskMiB });
    return;
  }
  const ms = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
  console.log(
    `one step of all processes ${ms(cost.stepSeconds)}, one measurement ${ms(cost.measureSeconds)}; one run ${duration(cost.totalSeconds)}`,
  );
  console.log(`${runs} runs; ${duration(totalSeconds)} one after the other; ${Math.ceil(diskMiB)} MiB on disk`);
  if (jobs > 1)
    say(`${jobs} at a time share the cores: between ${duration(totalSeconds / jobs)} and ${duration(totalSeconds)}`);
}

/** The discrete algorithm's last loss and accuracy. */
function lastMeasurement(events: readonly SdeEvent[]): string[] {
  const last = events.findLast((event) => event.event === "measure" && event.process === "discrete");
  return last?.event === "measure" ? [`loss ${last.trainLoss.toFixed(3)}`, `test ${percent(last.testAccuracy)}`] : [];
}
