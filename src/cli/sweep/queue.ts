import { activeRuns, jobsOf, queueOf } from "../../sweep/slurm-jobs.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { runsInOrder } from "../../sweep/units.ts";
import type { Elsewhere } from "../../sweep/status.ts";
import { askSlurm } from "./slurm-commands.ts";

/** The runs, by number, that Slurm has, or why it cannot say. Slurm is asked only where jobs were submitted. */
export function runsAtSlurm(
  out: string,
): { readonly active: ReadonlyMap<number, "queued" | "running"> } | { readonly why: string } {
  const jobs = jobsOf(out);
  if (jobs.length === 0) return { active: new Map() };
  // A job that ended a while ago is unknown to squeue, and asking for it by its number would be an error.
  const answer = askSlurm("squeue", ["--me", "--array", "--noheader", "--format=%F %K %T"]);
  return "why" in answer ? answer : { active: activeRuns(jobs, queueOf(answer.text)) };
}

/** What Slurm says of the runs of a sweep; nothing where it cannot be asked. */
export function elsewhere(sweep: Sweep): Elsewhere {
  const found = runsAtSlurm(sweep.out);
  if ("why" in found || found.active.size === 0) return new Map();
  const runs = runsInOrder(sweep);
  return new Map([...found.active].flatMap(([number, state]) => (runs[number] ? [[runs[number].name, state]] : [])));
}
