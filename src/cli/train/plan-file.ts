import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../../run/lines.ts";
import { changes } from "../../train/identity.ts";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder, writeAtomic } from "../../util/files.ts";
import type { PlannedRun } from "./plan.ts";

const planFile = z.object({
  version: z.literal(1),
  /** Threads of each run whose settings leave them open. */
  threads: z.int().min(1),
  /** Settings by the name of the run. */
  runs: z.record(z.string(), z.unknown()),
});

/**
 * Makes the folder of a plan, or takes up the one that holds the same plan, and returns the runs with their threads: where the
 * settings leave them open, the cores are shared out when the plan is begun, so that a run resumes with what it had.
 * @throws ConfigError where the folder holds another plan, or anything else
 */
export function ensurePlan(out: string, runs: readonly PlannedRun[], jobs: number): PlannedRun[] {
  const path = join(out, "plan.json");
  const asked = plain(Object.fromEntries(runs.map(({ name, config }) => [name, config])));
  const threads = existsSync(path)
    ? readPlan(path, out, asked)
    : Math.max(1, Math.floor(availableParallelism() / jobs));
  if (!existsSync(path)) {
    if (existsSync(out) && readdirSync(out).length > 0)
      throw new ConfigError(`${out} is not empty, and no plan was begun in it`, { out }, "choose another --run-dir");
    makeFolder(out);
    writeAtomic(path, `${JSON.stringify({ version: 1, threads, runs: asked }, null, 2)}\n`);
  }
  return runs.map(({ name, config }) => ({ name, config: { ...config, threads: config.threads || threads } }));
}

/** The threads of the plan that was begun. Throws a ConfigError where it is not the one asked for. */
function readPlan(path: string, out: string, asked: Runs): number {
  const plan = parseJson(readFileSync(path, "utf8"), planFile, path, "was it edited? Choose another --run-dir");
  const differing = differences(plan.runs, asked);
  if (differing.length > 0)
    throw new ConfigError(
      `${out} holds another plan: ${differing.slice(0, MOST_SHOWN).join("; ")}`,
      { out, differing },
      "give the settings it was begun with to resume it, or choose another --run-dir",
    );
  return plan.threads;
}

const MOST_SHOWN = 3;

type Runs = Readonly<Record<string, unknown>>;

/** The runs that one plan alone has, or else the settings in which their runs differ. */
function differences(before: Runs, after: Runs): string[] {
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
