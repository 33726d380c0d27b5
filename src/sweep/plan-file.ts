import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../run/lines.ts";
import type { TrainConfig } from "../train/config.ts";
import { changes } from "../train/identity.ts";
import { ConfigError } from "../util/errors.ts";
import { createAtomic, isTemporary, makeFolder } from "../util/files.ts";

const planFile = z.object({
  version: z.literal(1),
  /** Threads of each run whose settings leave them open. */
  threads: z.int().min(1),
  /** Settings by the name of the run, where all runs are known at the outset. */
  runs: z.record(z.string(), z.unknown()).optional(),
  /** The texts that define a sweep. */
  sweep: z
    .object({ name: z.string(), toml: z.string(), base: z.string().optional(), by: z.string().optional() })
    .optional(),
});

export type PlanFile = z.output<typeof planFile>;

/** The texts that define a sweep: of its file, and of the one that its `config` names; `by` is a search that was asked for instead. */
export type SweepTexts = NonNullable<PlanFile["sweep"]>;

/** Runs by name. */
type Runs = Readonly<Record<string, unknown>>;

const PLAN = "plan.json";

const fileOf = (out: string): string => join(out, PLAN);

/** The plan of a folder, or undefined where none was begun in it. InputError where it is damaged. */
export function readPlan(out: string): PlanFile | undefined {
  const path = fileOf(out);
  if (!existsSync(path)) return undefined;
  return parseJson(readFileSync(path, "utf8"), planFile, path, "was it edited? Choose another folder");
}

/** The threads that runs side by side share fairly. */
export const threadsFor = (jobs: number): number => Math.max(1, Math.floor(availableParallelism() / jobs));

/**
 * Makes the folder of a plan, or takes up the one that holds the same plan. Returns the threads of runs whose settings leave them
 * open: decided when the plan is begun, so that a run resumes with what it had.
 * @throws ConfigError where the folder holds another plan, as `differences` of the one before say, or anything else
 */
export function takeUpPlan(
  out: string,
  asked: Omit<PlanFile, "version">,
  differences: (before: PlanFile) => readonly string[],
): number {
  const before = readPlan(out);
  if (before === undefined) {
    // What a start that was killed left, or another one is writing now, is not in the way.
    if (existsSync(out) && readdirSync(out).some((name) => name !== PLAN && !isTemporary(name)))
      throw new ConfigError(`${out} is not empty, and no plan was begun in it`, { out }, "choose another folder");
    makeFolder(out);
    if (createAtomic(fileOf(out), `${JSON.stringify({ version: 1, ...asked }, null, 2)}\n`)) return asked.threads;
    return takeUpPlan(out, asked, differences);
  }
  const differing = differences(before);
  if (differing.length > 0)
    throw new ConfigError(
      `${out} holds another plan: ${differing.slice(0, MOST_SHOWN).join("; ")}`,
      { out, differing },
      "give the settings it was begun with to resume it, or choose another folder",
    );
  return before.threads;
}

const MOST_SHOWN = 3;

/** The same for runs that are all known; returns them with their threads. */
export function ensurePlan<R extends { readonly name: string; readonly config: TrainConfig }>(
  out: string,
  runs: readonly R[],
  jobs: number,
): R[] {
  const asked = plain(Object.fromEntries(runs.map(({ name, config }) => [name, config])));
  const threads = takeUpPlan(out, { threads: threadsFor(jobs), runs: asked }, (before) =>
    before.runs ? runDifferences(before.runs, asked) : ["a sweep"],
  );
  return runs.map((run) => withThreads(run, threads));
}

export const withThreads = <R extends { readonly config: TrainConfig }>(run: R, threads: number): R => ({
  ...run,
  config: { ...run.config, threads: run.config.threads || threads },
});

/** The runs that one plan alone has, or else the settings in which their runs differ. */
function runDifferences(before: Runs, after: Runs): string[] {
  const only = (here: Runs, there: Runs, how: string) => {
    const names = Object.keys(here).filter((name) => !Object.hasOwn(there, name));
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
    return names.length === 0 ? [] : [`${names.slice(0, MOST_SHOWN).join(", ")}${more} ${how}`];
  };
  const alone = [...only(after, before, "not in it"), ...only(before, after, "not asked for now")];
  if (alone.length > 0) return alone;
  return [...new Set(Object.keys(before).flatMap((name) => changes(before[name], after[name])))];
}

/** As JSON keeps it. */
const plain = (value: Runs): Runs => JSON.parse(JSON.stringify(value));
