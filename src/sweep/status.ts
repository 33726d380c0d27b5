import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { holderOf } from "../run/claim.ts";
import { isRun } from "../run/directory.ts";
import { parseJson } from "../run/lines.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";
import { type Summary, summarize } from "../util/statistics.ts";
import { isBetter, type Measure, measureOf } from "./measure.ts";
import type { RunReader } from "./results.ts";
import type { Sweep } from "./sweep.ts";
import type { SweepRun, SweepTrial } from "./trials.ts";

/**
 * Where a run of a sweep stands; "stopped" has saved, or was killed, and goes on from its newest checkpoint; "queued" is what a cluster
 * will make or go on with.
 */
export type RunState = "waiting" | "queued" | "running" | "stopped" | "done" | "failed";

/** What a cluster says of runs, by name. */
export type Elsewhere = ReadonlyMap<string, "queued" | "running">;

export interface RunStatus extends SweepRun {
  readonly path: string;
  readonly state: RunState;
  /** Why it failed. */
  readonly error?: string | undefined;
  /** The measure, where it is done. */
  readonly value?: number | undefined;
}

/** A trial and what its runs come to. */
export interface TrialStatus extends Pick<SweepTrial, "number" | "point"> {
  readonly runs: readonly RunStatus[];
  /** Of the runs that are done. */
  readonly summary: Summary;
}

/** How every run of some trials stands, from the run directories, and from a cluster where one was asked. */
export async function statusOf(
  sweep: Sweep,
  trials: readonly SweepTrial[],
  runs: Pick<RunReader, "readRecord">,
  elsewhere: Elsewhere = new Map(),
): Promise<TrialStatus[]> {
  const measure = measureOf(sweep.definition.measure);
  return Promise.all(
    trials.map(async ({ number, point, runs: planned }) => {
      const found = await Promise.all(planned.map((run) => runStatus(sweep.out, run, measure, runs, elsewhere)));
      return { number, point, runs: found, summary: summarize(found.flatMap(({ value }) => value ?? [])) };
    }),
  );
}

async function runStatus(
  out: string,
  run: SweepRun,
  measure: Measure,
  { readRecord }: Pick<RunReader, "readRecord">,
  elsewhere: Elsewhere,
): Promise<RunStatus> {
  const path = join(out, run.name);
  const at = (state: RunState, rest: Pick<RunStatus, "error" | "value"> = {}): RunStatus => ({
    ...run,
    path,
    state,
    ...rest,
  });
  const record = isRun(path) ? readRecord(path) : undefined;
  if (record?.status === "done" && record.result) return at("done", { value: measure.final(record.result) });
  if (isRun(path) && (await holderOf(path)) !== undefined) return at("running");
  const there = elsewhere.get(run.name);
  if (there !== undefined) return at(there);
  const error =
    failureOf(out, run) ?? (record?.status === "failed" ? (record.error ?? "for a reason not recorded") : undefined);
  if (error !== undefined) return at("failed", { error });
  return at(record === undefined ? "waiting" : "stopped");
}

/** Whether every seed of a trial is done. */
export const isComplete = ({ runs }: TrialStatus): boolean => runs.every(({ state }) => state === "done");

/** Trials that have every seed, the best first: by the mean over seeds. */
export function ranked(trials: readonly TrialStatus[], measure: Measure): TrialStatus[] {
  return trials
    .filter((trial) => isComplete(trial) && Number.isFinite(trial.summary.mean))
    .sort((a, b) =>
      isBetter(measure, a.summary.mean, b.summary.mean) ? -1 : a.summary.mean === b.summary.mean ? 0 : 1,
    );
}

const failureFile = z.object({ version: z.literal(1), error: z.string() });

const failurePath = (out: string, { name }: Pick<SweepRun, "name">): string => join(out, "failures", `${name}.json`);

/** Why the last try of a run failed, also where it failed before it had a run directory. */
function failureOf(out: string, run: SweepRun): string | undefined {
  const path = failurePath(out, run);
  return existsSync(path) ? parseJson(readFileSync(path, "utf8"), failureFile, path, "remove it").error : undefined;
}

/** Keeps why a run failed, or forgets it where it did not. */
export function recordFailure(out: string, run: Pick<SweepRun, "name">, error: string | undefined): void {
  const path = failurePath(out, run);
  if (error === undefined) {
    rmSync(path, { force: true });
    return;
  }
  makeFolder(join(out, "failures"));
  writeAtomic(path, `${JSON.stringify({ version: 1, error })}\n`);
}
