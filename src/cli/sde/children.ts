import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { sdeRun } from "../../experiments/sde/run-dir.ts";
import type { SdeEvent } from "../../experiments/sde/events.ts";
import { EigensamError } from "../../util/errors.ts";
import { moduleExtension, nodeArguments } from "../../util/package.ts";
import { computeEnvironment } from "../allocator.ts";
import { track } from "../children.ts";

class RunFailed extends EigensamError {}

export interface ChildrenArgs {
  readonly jobs: number;
  readonly listen: (event: SdeEvent) => void;
  /** Asks all of them to save and end. */
  readonly stop: AbortSignal;
}

/** Runs every run directory that is not complete in a process of its own, `jobs` at a time. Whether all are done. */
export async function runAll(runs: readonly string[], { jobs, listen, stop }: ChildrenArgs): Promise<boolean> {
  const waiting = runs.filter((run) => sdeRun.readRecord(run)?.status !== "done");
  const failure = new AbortController();
  const ending = AbortSignal.any([stop, failure.signal]);
  let failed: unknown;
  const work = async () => {
    while (!ending.aborted) {
      const run = waiting.shift();
      if (run === undefined) return;
      try {
        await runOne(run, listen, ending);
      } catch (error) {
        failed ??= error;
        failure.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (failed !== undefined) throw failed;
  return !stop.aborted;
}

async function runOne(run: string, listen: (event: SdeEvent) => void, ending: AbortSignal): Promise<void> {
  const main = new URL(`../main${moduleExtension}`, import.meta.url);
  const child = track(
    spawn(process.execPath, [...nodeArguments(main), "sde", "--resume", run, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: computeEnvironment(),
    }),
  );
  const end = () => child.kill("SIGINT");
  ending.addEventListener("abort", end);
  createInterface({ input: child.stdout }).on("line", (text) => listen(JSON.parse(text) as SdeEvent));
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(-4000);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  ending.removeEventListener("abort", end);
  if (status !== 0 && !ending.aborted)
    throw new RunFailed(`${run} ended with status ${status}:\n  ${err.trim()}`, { run, status });
}
