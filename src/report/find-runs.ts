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
  const found = paths
    .flatMap((path) => {
      if (!existsSync(path))
        throw new InputError(`${path} is not there`, { path }, "give run directories, or a folder of them");
      return isRun(path) ? [path] : runsIn(path, leftOut);
    })
    .filter((path) => {
      const kind = kindOf(path) ?? trainRun.kind;
      if (kind !== trainRun.kind) leftOut.push(`${path} is a run of kind "${kind}"`);
      return kind === trainRun.kind;
    });
  const distinct = new Map(found.map((path) => [realpathSync(path), path]));
  if (distinct.size === 0)
    throw new InputError(
      `there is no run of eigensam train to report: ${leftOut.join("; ")}`,
      { paths },
      "eigensam sde and eigensam paper report their own runs",
    );
  return withoutRepeats([...distinct.values()].map(readRun), leftOut);
}

function runsIn(folder: string, leftOut: string[]): string[] {
  const names = statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
  const inner = names.map((name) => join(folder, name)).filter(isRun);
  if (inner.length === 0)
    throw new InputError(
      `${folder} holds no run`,
      { folder },
      "a run directory has a run.json; eigensam train makes one",
    );
  return inner.filter((path) => {
    const begun = existsSync(runFiles(path).record);
    if (!begun) leftOut.push(`${path} has not begun`);
    return begun;
  });
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
