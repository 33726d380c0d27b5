import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resultsIn } from "../../sweep/results.ts";
import { recordJob } from "../../sweep/slurm-jobs.ts";
import { type ArrayPart, arraysOf, shellWord, slurmScript } from "../../sweep/slurm-script.ts";
import { isComplete } from "../../sweep/status.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { runsInOrder } from "../../sweep/units.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder, writeAtomic } from "../../util/files.ts";
import { moduleExtension, nodeArguments, packageVersion } from "../../util/package.ts";
import { pluginArguments, registry } from "../plugins.ts";
import { emit, say } from "../ui.ts";
import { type ClusterArgs, withBegun } from "./on-cluster.ts";
import { runsAtSlurm } from "./queue.ts";
import { reportSweep } from "./report.ts";
import { askSlurm } from "./slurm-commands.ts";

/** Submits the runs of a sweep that are missing, and that Slurm does not have already, as a job array of Slurm. */
export async function runOnSlurm(asked: Sweep, args: ClusterArgs): Promise<void> {
  const begunAt = performance.now();
  const { slurm, threads } = asked.definition;
  const sweep = await withBegun(asked, slurm.cpus ?? threads, (begun) => {
    submit(begun, args);
    return begun;
  });
  if (!args.wait) return;
  await untilIdle(sweep.out);
  const trials = await reportSweep(sweep, { begun: begunAt, json: args.json });
  if (!trials.every(isComplete)) process.exitCode = 1;
}

function submit(sweep: Sweep & { readonly threads: number }, { jobs, writeOnly, json }: ClusterArgs): void {
  const out = resolve(sweep.out);
  const results = resultsIn(sweep, trainRunOf(registry()));
  const missing = runsInOrder(sweep).flatMap((run, i) => (results.final(run) === undefined ? [i] : []));
  const atSlurm = runsAtSlurm(out);
  const active = "active" in atSlurm ? atSlurm.active : new Map<number, never>();
  if ("why" in atSlurm) say(`note: ${atSlurm.why}; runs that are queued are queued again, and made once`);
  const wanted = missing.filter((number) => !active.has(number));
  const there = missing.length - wanted.length;
  const script = join(out, "slurm.sh");
  const logs = join(out, "logs");
  makeFolder(logs);
  writeAtomic(script, scriptOf(sweep, out, logs));
  if (wanted.length === 0) {
    say(there > 0 ? `the ${there} runs that are missing are queued or running` : `every run in ${sweep.out} is done`);
    return;
  }
  for (const part of arraysOf(wanted)) {
    const words = wordsOf(part, script, jobs);
    if (writeOnly) {
      console.log(["sbatch", ...words.map(shellWord)].join(" "));
      continue;
    }
    const job = submitted(words, sweep.definition.name);
    recordJob(out, { kind: "submitted", job, ...part, at: new Date().toISOString() });
    if (json) emit({ event: "submitted", job, ...part, out });
  }
  const others = there > 0 ? `; ${there} more are queued or running already` : "";
  if (!writeOnly)
    say(
      `submitted ${wanted.length} runs${others}; their logs are in ${logs}\neigensam sweep status ${sweep.out} says how they stand`,
    );
}

const wordsOf = ({ array, offset }: ArrayPart, script: string, jobs: number | undefined): string[] => [
  "--parsable",
  `--array=${array}${jobs === undefined ? "" : `%${jobs}`}`,
  script,
  String(offset),
];

/** Hands an array to Slurm. Returns the number of its job. */
function submitted(words: readonly string[], sweep: string): string {
  const answer = askSlurm("sbatch", words);
  if ("why" in answer)
    throw new ConfigError(
      `Slurm does not take ${sweep}: ${answer.why}`,
      { words },
      "check [slurm] in its file; --write-only prints the command instead, for a machine that may submit",
    );
  // "123;cluster" where there are several clusters.
  return answer.text.split(";")[0]!;
}

function scriptOf({ definition, threads }: Sweep & { readonly threads: number }, out: string, logs: string): string {
  const main = new URL(`../main${moduleExtension}`, import.meta.url);
  const { name, slurm } = definition;
  return slurmScript({
    ...{ name, out, logs, version: packageVersion, folder: process.cwd(), options: slurm },
    cpus: slurm.cpus ?? threads,
    command: slurm.command ?? [process.execPath, ...nodeArguments(main)].map(shellWord).join(" "),
    args: pluginArguments(),
  });
}

/** Waits until Slurm has no run of a sweep. */
async function untilIdle(out: string): Promise<void> {
  for (let seconds = 1; ; seconds = Math.min(LONGEST_PAUSE, seconds * 1.5)) {
    const found = runsAtSlurm(out);
    if ("active" in found && found.active.size === 0) return;
    await sleep(seconds * 1000);
  }
}

/** In seconds. Many sites ask their users not to call squeue more often than once a minute. */
const LONGEST_PAUSE = 60;
