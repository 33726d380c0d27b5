import type { TrainEvent } from "../../train/events.ts";
import { trainSettings } from "../../train/settings.ts";
import { ConfigError } from "../../util/errors.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { configOf, givenIn } from "../config-file.ts";
import { pluginArguments, registry } from "../plugins.ts";
import { type AskedPool, askedPoolOptions, assertNoPool, poolOf } from "../run-tasks.ts";
import { seedList } from "../seeds.ts";
import { planOf } from "../train/plan.ts";
import { entriesHelp, settingsHelp } from "../train/settings-help.ts";
import { emit, say } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface TrainOptions extends AskedPool {
  readonly seeds?: readonly number[];
  readonly runDir?: string;
  readonly resume?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const LISTS = `
Several runs: --seeds 1..5 method.name=sgd,sam trains the product of all lists, -j at a time, each
in a process of its own, and ends in one report. The same command resumes what is missing. Lists of
lists: schedule.milestones=[3],[3,5]. Settings that are text, such as paths, take one value.
`;

export const train: CliCommand<TrainOptions> = {
  configure: (command) => {
    askedPoolOptions(command)
      .argument(
        "[settings...]",
        "CONFIG.toml first if any, then key=value settings, which win; key=a,b makes runs of each",
      )
      .option(
        "--seeds <list>",
        "a run with each seed, as in 1..5 or 1,2,7; with lists of values, their product",
        seedList,
      )
      .option(
        "--run-dir <dir>",
        "where the run goes, or the runs; the same command resumes them (default: a folder under runs/)",
      )
      .option("--resume <run>", "continue a run that was stopped or killed, bit for bit")
      .option("--dry-run", "print the resolved settings, size, memory and time per epoch, measured on a few steps")
      .option("--json", "events as JSON lines on stdout")
      .addHelpText(
        "after",
        () => `${LISTS}${settingsHelp(trainSettings(registry()).list)}\n${entriesHelp(registry())}`,
      );
  },
  run: async (options, args) => {
    const { resume, json } = options;
    if (resume !== undefined && (args.length > 0 || options.runDir !== undefined || options.dryRun || options.seeds))
      throw new ConfigError(
        "--resume takes the settings of the run; others cannot be given",
        { resume, args },
        "change settings in a new run",
      );
    const settings = trainSettings(registry());
    const given = givenIn(args);
    const plan = planOf(given, options.seeds, settings);
    if (plan !== undefined) {
      const { trainMany } = await import("../train/many.ts");
      return trainMany(plan, poolOf(options));
    }
    assertNoPool(options, "leave it out; --seeds 1..5, or a list as in method.name=sgd,sam, makes several runs");
    const { trainRunOf } = await import("../../train/run-dir.ts");
    const { datasetOf } = await import("../../train/registry.ts");
    const { newRunName } = await import("../train/run-name.ts");
    const { checkpointsOf } = await import("../../run/checkpoint.ts");
    const { dryRun } = await import("../train/dry-run.ts");
    const { stopOnSignals } = await import("../stop.ts");
    const { progressView } = await import("../train/progress.ts");
    const { problemOf } = await import("../../train/session.ts");
    const { runTraining } = await import("../../train/run-training.ts");
    const [known, trainRun] = [registry(), trainRunOf(registry())];
    if (resume !== undefined) trainRun.assertResumable(resume);
    const config = resume === undefined ? configOf(given, settings) : trainRun.readConfig(resume);
    const run = resume ?? options.runDir ?? newRunName();
    if (!options.dryRun) assertFolderWritable(run);
    const dataset = await datasetOf(config, known);
    if (options.dryRun) {
      await dryRun(problemOf(config, dataset, known), json === true);
      return;
    }
    if (resume === undefined) trainRun.create(run, config);
    const show = progressView();
    const listen = (event: TrainEvent) => {
      show(event);
      if (json && event.event !== "step") emit(event);
    };
    const { signal, status } = stopOnSignals(undefined, () => {
      const checkpoint = checkpointsOf(run).at(-1);
      return checkpoint === undefined ? "nothing is saved yet" : `saved is ${checkpoint}; ${resumeHint(run)}`;
    });
    const outcome = await runTraining({
      config,
      dataset,
      run,
      resume: resume !== undefined,
      listen,
      stop: signal,
      registry: known,
    });
    if (outcome.status === "stopped") {
      say(`stopped after step ${outcome.step}; ${resumeHint(run)}`);
      process.exitCode = status();
    }
  },
};

const resumeHint = (run: string): string =>
  `resume with: ${["eigensam train --resume", run, ...pluginArguments()].join(" ")}`;
