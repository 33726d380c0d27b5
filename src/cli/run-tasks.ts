import type { Command } from "commander";
import { type Outcome, runPool, type Task, type TaskSource } from "./pool.ts";
import { poolView, type PoolViewArgs } from "./pool-view.ts";
import { ConfigError } from "../util/errors.ts";
import { stopOnSignals } from "./stop.ts";
import { say } from "./ui.ts";
import { positiveInteger } from "./values.ts";

export interface PoolOptions {
  readonly jobs: number;
  readonly failFast?: true;
  readonly retries?: number;
}

/** The same of commands that may make one run in their own process instead. */
export type AskedPool = Partial<PoolOptions>;

/** How many runs a command makes at a time where nothing is asked. */
const JOBS = 2;

const [JOBS_FLAGS, JOBS_HELP] = ["-j, --jobs <n>", "runs at a time, each in a process of its own"];

const failFastOption = (command: Command): Command =>
  command.option("--fail-fast", "when a run fails, save and stop the others");

/** The options of commands that make their runs in child processes. */
export const poolOptions = (command: Command): Command =>
  failFastOption(command.option(JOBS_FLAGS, JOBS_HELP, positiveInteger, JOBS));

/** The same of commands that may make one run in their own process instead; what is not asked is left out. */
export const askedPoolOptions = (command: Command): Command =>
  failFastOption(command.option(JOBS_FLAGS, `${JOBS_HELP} (default: ${JOBS})`, positiveInteger));

export const poolOf = <T extends AskedPool>(asked: T): T & PoolOptions => ({ ...asked, jobs: asked.jobs ?? JOBS });

/** ConfigError where options of several runs were given for one; `next` says what makes several. */
export function assertNoPool({ jobs, failFast }: AskedPool, next: string): void {
  const given = [...(jobs === undefined ? [] : ["--jobs"]), ...(failFast ? ["--fail-fast"] : [])];
  if (given.length > 0)
    throw new ConfigError(`${given.join(" and ")}: there is one run, and no other beside it`, { given }, next);
}

export interface RunTasksArgs<T extends Task, E> extends Omit<PoolViewArgs<T, E>, "total"> {
  /** How many runs there are with those complete before; left out, the tasks are the others. */
  readonly total?: number;
  readonly options: PoolOptions;
  /** The folder that the runs go to. */
  readonly out: string;
}

/** Runs the tasks with their progress on stderr, and says how they ended; unless all are done, it has set the exit status. */
export async function runTasks<T extends Task, E>(
  tasks: readonly T[] | TaskSource<T>,
  args: RunTasksArgs<T, E>,
): Promise<Outcome> {
  const { out, complete } = args;
  const known = "next" in tasks ? [] : tasks;
  const total = args.total ?? complete + known.length;
  const width = Math.max(0, ...known.map(({ name }) => name.length));
  const { jobs, failFast = false, retries = 0 } = args.options;
  const before = complete > 0 ? `, ${complete} complete already` : "";
  say(`${total} runs in ${out}, ${jobs} at a time${before}; if stopped, run the same command again to resume`);
  const { signal, status } = stopOnSignals("asking the runs to save and stop");
  const view = poolView<T, E>({ width, ...args, total, stop: signal });
  const { done, failed, stopped } = await runPool<T, E>(tasks, {
    jobs,
    failFast,
    retries,
    stop: signal,
    onEvent: view.show,
  });
  view.end();
  if (failed.length > 0) {
    const names = failed.map(({ name }) => name).join(", ");
    say(`${failed.length} of ${total} runs failed: ${names}; run the same command again to retry them`);
  }
  if (stopped.length > 0)
    say(`stopped with ${complete + done.length} of ${total} runs done; run the same command again to resume`);
  if (failed.length + stopped.length === 0) return "done";
  process.exitCode = status() || 1;
  return stopped.length > 0 ? "stopped" : "failed";
}
