import { spawnSync } from "node:child_process";
import { reasonOf } from "../../util/system-errors.ts";

/** What a command of Slurm printed, or why it did not do its work. */
export type SlurmAnswer = { readonly text: string } | { readonly why: string };

/** A controller that does not answer within this time, in milliseconds, is as good as none. */
const PATIENCE = 60_000;

/** Runs a command of Slurm to its end. */
export function askSlurm(command: "sbatch" | "squeue" | "scontrol" | "scancel", args: readonly string[]): SlurmAnswer {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: PATIENCE,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error !== undefined) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { why: absent ? `there is no ${command} on this machine` : `${command}: ${reasonOf(error).why}` };
  }
  if (status === 0) return { text: stdout.trim() };
  return { why: `${command}: ${stderr.trim().replace(/^\w+: error: /, "") || `it ended with status ${status}`}` };
}
