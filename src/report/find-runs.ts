import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRun, kindOf } from "../run/directory.ts";
import { runFiles } from "../run/files.ts";
import { trainRun } from "../train/run-dir.ts";
import { InputError } from "../util/errors.ts";
import { type Run, readRun } from "./read-run.ts";

export interface FoundRuns {
  readonly runs: readonly Run[];
  /** What was found and left out, with the reason. */
  readonly leftOut: readonly string[];
}

/** Reads the runs among paths that are run directories, or folders of run directories. */
export function findRuns(paths: readonly string[]): FoundRuns {
  const leftOut: string[] = [];
  const found = paths.flatMap((path) => {
    if (!existsSync(path))
      throw new InputError(`${path} is not there`, { path }, "give run directories, or a folder of them");
    return isRun(path) ? [path] : runsIn(path);
  });
  const kept = found.filter((path) => {
    const reason = unfit(path);
    if (reason !== undefined) leftOut.push(`${path} ${reason}`);
    return reason === undefined;
  });
  if (kept.length === 0)
    throw new InputError(
      `no run of eigensam train was found: ${leftOut.join("; ")}`,
      { paths },
      "eigensam sde and eigensam paper draw the figures of their own runs",
    );
  const distinct = new Map(kept.map((path) => [realpathSync(path), path]));
  return withoutRepeats([...distinct.values()].map(readRun), leftOut);
}

function unfit(path: string): string | undefined {
  if (!existsSync(runFiles(path).record)) return "has not begun";
  const kind = kindOf(path) ?? trainRun.kind;
  return kind === trainRun.kind ? undefined : `is a run of kind "${kind}"`;
}

function runsIn(folder: string): string[] {
  const names = statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
  const inner = names.map((name) => join(folder, name)).filter(isRun);
  const hint = "a run directory has a run.json; eigensam train makes one";
  if (inner.length === 0) throw new InputError(`${folder} holds no run`, { folder }, hint);
  return inner;
}

/** Equal settings with an equal seed are one sample, however often it was run; the farthest of them stays. */
function withoutRepeats(runs: readonly Run[], leftOut: string[]): FoundRuns {
  const kept = new Map<string, Run>();
  for (const run of runs) {
    const key = JSON.stringify(run.record.config);
    const other = kept.get(key);
    const [stays, goes] = other && other.epochs.length >= run.epochs.length ? [other, run] : [run, other];
    kept.set(key, stays);
    if (goes) leftOut.push(`${goes.path} repeats ${stays.path}`);
  }
  return { runs: [...kept.values()], leftOut };
}
