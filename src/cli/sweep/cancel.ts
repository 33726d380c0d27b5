import { hostname } from "node:os";
import { holderOf } from "../../run/claim.ts";
import { jobsOf, recordJob } from "../../sweep/slurm-jobs.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { ConfigError } from "../../util/errors.ts";
import { say } from "../ui.ts";
import { runsAtSlurm } from "./queue.ts";
import { askSlurm } from "./slurm-commands.ts";

/** Asks whoever makes runs of a sweep to save and stop: jobs of Slurm, and a process. ConfigError where that is on another machine. */
export async function cancel({ out, definition }: Sweep): Promise<void> {
  const jobs = cancelJobs(out);
  const holder = await holderOf(out);
  if (holder?.pid === undefined) {
    if (jobs === 0) say(`nobody is at work on ${out}`);
    return;
  }
  const { pid, host } = holder;
  if (host !== hostname())
    throw new ConfigError(`process ${pid} of ${host} runs ${definition.name}`, { pid, host }, "cancel it there");
  process.kill(pid, "SIGINT");
  say(`asked process ${pid} to save its runs and stop; eigensam sweep run goes on with them`);
}

/** Cancels the jobs of Slurm, and says so. Returns how many there were. */
function cancelJobs(out: string): number {
  const jobs = jobsOf(out).map(({ job }) => job);
  const found = runsAtSlurm(out);
  if (jobs.length === 0 || ("active" in found && found.active.size === 0)) return 0;
  // Written first: an element that is told to stop must not ask to be requeued.
  for (const job of jobs) recordJob(out, { kind: "cancelled", job, at: new Date().toISOString() });
  const answer = askSlurm("scancel", jobs);
  if ("why" in answer)
    throw new ConfigError(
      `jobs ${jobs.join(", ")} of Slurm could not be cancelled: ${answer.why}`,
      { jobs },
      `scancel ${jobs.join(" ")} on a machine of the cluster; what runs saves, and is not requeued`,
    );
  say(`cancelled ${jobs.length === 1 ? "job" : "jobs"} ${jobs.join(", ")} of Slurm; what runs saves first`);
  return jobs.length;
}
