import { existsSync, statSync } from "node:fs";
import type { SearchName } from "../../sweep/definition.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { ConfigError } from "../../util/errors.ts";
import { registry } from "../plugins.ts";
import type { PoolOptions } from "../run-tasks.ts";
import { type Place, places } from "../sweep/places.ts";
import { nonNegativeInteger, oneOf, positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface SweepOptions extends Omit<PoolOptions, "jobs"> {
  readonly jobs?: number;
  readonly out?: string;
  readonly on: Place;
  readonly submitOnly?: true;
  readonly writeOnly?: boolean;
  readonly wait?: boolean;
  /** As an element of a job array: how often it may have been requeued. */
  readonly requeue?: number;
  readonly search?: SearchName;
  readonly until?: number;
  readonly dryRun?: true;
  readonly json?: true;
}

const actions = ["plan", "run", "status", "cancel", "task"] as const;

type Action = (typeof actions)[number];

const HELP = `
plan     prints the runs, their hours and disk, measured on a few steps; writes nothing
run      makes the runs that are missing, here or on a cluster, and reports; repeated, it goes on
status   says how every run stands, and which settings are best so far
cancel   asks whoever works on the sweep to save and stop
task     makes one run, by its number from 0 or its name: what the others start, here and on clusters
`;

export const sweep: CliCommand<SweepOptions> = {
  configure: (command) => {
    command
      .argument("<action>", actions.join(", "), oneOf(actions))
      .argument(
        "[sweep]",
        "the TOML file of the sweep, or the folder it was begun in; of task, the number or name of a run",
      )
      .option("--out <dir>", "the folder of the sweep (default: runs/NAME)")
      .option("--on <where>", `of run: ${places.join(", ")}`, oneOf(places), "local")
      .option(
        "-j, --jobs <n>",
        "runs at a time, each in a process of its own (default: 2; on a cluster as many as it gives)",
        positiveInteger,
      )
      .option("--submit-only", "of run --on slurm: submit and exit at once, as it does without --wait")
      .option("--write-only", "of run --on slurm: write the job script, and print the command that submits it")
      .option("--wait", "of run --on slurm: wait until no run is queued, and report")
      .option("--fail-fast", "when a run fails, save and stop the others")
      .option(
        "--search <name>",
        "grid, random, tpe or asha, in place of what the file says",
        oneOf(["grid", "random", "tpe", "asha"] as const),
      )
      .option("--retries <n>", "how often a run that failed is tried again", nonNegativeInteger, 0)
      .option("--until <epoch>", "of task: train to the end of this epoch only", positiveInteger)
      .option(
        "--requeue <n>",
        "of task, in a job array of Slurm: when told to stop, ask to be requeued, at most so often",
        nonNegativeInteger,
      )
      .option("--json", "one JSON line per run on stdout")
      .addHelpText("after", HELP);
  },
  run: async ({ out, search: by, until, requeue, json = false, ...where }, [action, given]) => {
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
      return makeTask(sweepIn(out, settings), given, { until, requeue, json });
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
        return (await import("../sweep/plan.ts")).showPlan(chosen, { jobs: where.jobs ?? JOBS, json });
      case "run":
        return runOn(chosen, { ...where, json });
      case "status": {
        const { measureOf } = await import("../../sweep/measure.ts");
        const { statusOf } = await import("../../sweep/status.ts");
        const { trialsOf } = await import("../../sweep/sweep.ts");
        const { trainRunOf } = await import("../../train/run-dir.ts");
        const { showStatus } = await import("../sweep/status.ts");
        const { elsewhere } = await import("../sweep/queue.ts");
        const trials = await statusOf(chosen, trialsOf(chosen), trainRunOf(registry()), elsewhere(chosen));
        return showStatus(chosen, measureOf(chosen.definition.measure), trials, json);
      }
      case "cancel":
        return (await import("../sweep/cancel.ts")).cancel(chosen);
    }
  },
};

/** Runs at a time on this machine. */
const JOBS = 2;

type RunOptions = Pick<SweepOptions, "jobs" | "on" | "failFast" | "retries" | "submitOnly" | "writeOnly" | "wait">;

/** Makes the runs where they are to be made. ConfigError where options do not go together. */
async function runOn(
  sweep: Sweep,
  { jobs, on, submitOnly, writeOnly = false, wait = false, ...here }: RunOptions & { readonly json: boolean },
): Promise<void> {
  const alone = [submitOnly && "--submit-only", writeOnly && "--write-only", wait && "--wait"].filter((name) => name);
  if (alone.length > 1)
    throw new ConfigError(`${alone.join(" and ")} exclude each other`, { alone }, "give one of them");
  if (on === "local") {
    if (alone.length > 0)
      throw new ConfigError(`${alone[0]} is for clusters`, { on }, "give --on slurm, or leave it out");
    return (await import("../sweep/run.ts")).runHere(sweep, { ...here, jobs: jobs ?? JOBS });
  }
  if (here.failFast || here.retries)
    throw new ConfigError(
      `${here.failFast ? "--fail-fast" : "--retries"} is for runs on this machine`,
      { on },
      on === "slurm" ? "the same command submits runs that failed again" : "set kubernetes.retries in the file",
    );
  const args = { jobs, writeOnly, wait, json: here.json };
  if (on === "kubernetes" && submitOnly)
    throw new ConfigError("--submit-only is for Slurm", { on }, "kubectl submits; --on kubernetes prints how");
  if (on === "slurm") return (await import("../sweep/slurm.ts")).runOnSlurm(sweep, args);
  return (await import("../sweep/kubernetes.ts")).runOnKubernetes(sweep, args);
}
