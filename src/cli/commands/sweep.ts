import { existsSync, statSync } from "node:fs";
import type { SearchName } from "../../sweep/definition.ts";
import { ConfigError } from "../../util/errors.ts";
import { registry } from "../plugins.ts";
import { type PoolOptions, poolOptions } from "../run-tasks.ts";
import { nonNegativeInteger, oneOf, positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface SweepOptions extends PoolOptions {
  readonly out?: string;
  readonly search?: SearchName;
  readonly until?: number;
  readonly dryRun?: true;
  readonly json?: true;
}

const actions = ["plan", "run", "status", "cancel", "task"] as const;

type Action = (typeof actions)[number];

const HELP = `
plan     prints the runs, their hours and disk, measured on a few steps; writes nothing
run      makes the runs that are missing, and reports; the same command goes on where it stopped
status   says how every run stands, and which settings are best so far
cancel   asks whoever works on the sweep to save and stop
task     makes one run, by its number from 0 or its name: what the others start, here and on clusters
`;

export const sweep: CliCommand<SweepOptions> = {
  configure: (command) => {
    poolOptions(command)
      .argument("<action>", actions.join(", "), oneOf(actions))
      .argument(
        "[sweep]",
        "the TOML file of the sweep, or the folder it was begun in; of task, the number or name of a run",
      )
      .option("--out <dir>", "the folder of the sweep (default: runs/NAME)")
      .option(
        "--search <name>",
        "grid, random, tpe or asha, in place of what the file says",
        oneOf(["grid", "random", "tpe", "asha"] as const),
      )
      .option("--retries <n>", "how often a run that failed is tried again", nonNegativeInteger, 0)
      .option("--until <epoch>", "of task: train to the end of this epoch only", positiveInteger)
      .option("--json", "one JSON line per run on stdout")
      .addHelpText("after", HELP);
  },
  run: async ({ out, search: by, until, json = false, ...pool }, [action, given]) => {
    const { trainSettings } = await import("../../train/settings.ts");
    const { sweepIn, sweepOfFile } = await import("../../sweep/sweep.ts");
    const settings = trainSettings(registry());
    if (action === "task") {
      const { makeTask } = await import("../sweep/task.ts");
      if (given === undefined || out === undefined)
        throw new ConfigError(
          "sweep task needs a run and --out",
          { given, out },
          "eigensam sweep task 0 --out runs/NAME",
        );
      return makeTask(sweepIn(out, settings), given, { until, json });
    }
    if (given === undefined)
      throw new ConfigError(
        `sweep ${action} needs a sweep`,
        { action },
        "give its TOML file, or the folder it was begun in",
      );
    const isFolder = existsSync(given) && statSync(given).isDirectory();
    const chosen = isFolder ? sweepIn(given, settings) : sweepOfFile(given, { settings, out, by });
    switch (action as Exclude<Action, "task">) {
      case "plan":
        return (await import("../sweep/plan.ts")).showPlan(chosen, { jobs: pool.jobs, json });
      case "run":
        return (await import("../sweep/run.ts")).runHere(chosen, { ...pool, json });
      case "status": {
        const { measureOf } = await import("../../sweep/measure.ts");
        const { statusOf } = await import("../../sweep/status.ts");
        const { trialsOf } = await import("../../sweep/sweep.ts");
        const { trainRunOf } = await import("../../train/run-dir.ts");
        const { showStatus } = await import("../sweep/status.ts");
        const trials = await statusOf(chosen, trialsOf(chosen), trainRunOf(registry()));
        return showStatus(chosen, measureOf(chosen.definition.measure), trials, json);
      }
      case "cancel":
        return (await import("../sweep/cancel.ts")).cancel(chosen);
    }
  },
};
