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

/** A run directory, and the kind that its run.json names; undefined where it has not begun, or is no run at all. */
export interface RunDirectory {
  readonly path: string;
  readonly kind: string | undefined;
}

/**
 * The run directories among paths that are run directories, or folders of them; each once. Of several paths, as runs/* gives them, some may hold none.
 * InputError where the only path holds none, or one is not there.
 */
export function runDirectories(paths: readonly string[]): RunDirectory[] {
  const found = paths.flatMap((path) => {
    if (!existsSync(path))
      throw new InputError(`${path} is not there`, { path }, "give run directories, or a folder of them");
    return isRun(path) ? [path] : runsIn(path, paths.length === 1);
  });
  const distinct = new Map(found.map((path) => [realpathSync(path), path]));
  return [...distinct.values()].map((path) => ({
    path,
    kind: existsSync(runFiles(path).record) ? (kindOf(path) ?? trainRun.kind) : undefined,
  }));
}

/** Why a run directory is not shown. */
export const reasonLeftOut = ({ path, kind }: RunDirectory): string =>
  kind !== undefined
    ? `${path} is a run of kind "${kind}"`
    : isRun(path)
      ? `${path} has not begun`
      : `${path} holds no run`;

/** Reads the runs of training among paths that are run directories, or folders of run directories. */
export function findRuns(paths: readonly string[]): FoundRuns {
  const all = runDirectories(paths);
  const kept = all.filter(({ kind }) => kind === trainRun.kind);
  const leftOut = all.filter((each) => !kept.includes(each)).map(reasonLeftOut);
  if (kept.length === 0)
    throw new InputError(
      `no run of eigensam train was found: ${leftOut.join("; ")}`,
      { paths },
      "eigensam report reads runs of every kind",
    );
  return withoutRepeats(
    kept.map(({ path }) => readRun(path)),
    leftOut,
  );
}

/** The run directories in a folder; the folder itself where there are none and it is not the only one. */
function runsIn(folder: string, alone: boolean): string[] {
  const names = statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
  const inner = names.map((name) => join(folder, name)).filter(isRun);
  const hint = "a run directory has a run.json; eigensam train and eigensam sde make them";
  if (inner.length === 0 && !alone) return [folder];
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
