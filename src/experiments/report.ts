import { join } from "node:path";
import { reasonLeftOut, runDirectories } from "../report/find-runs.ts";
import { writeReport } from "../report/index.ts";
import type { RequestedTables } from "../report/paths.ts";
import type { RunsReport } from "../report/paths.ts";
import { trainRun } from "../train/run-dir.ts";
import { InputError } from "../util/errors.ts";
import { writeSdeReport } from "./sde/report/index.ts";
import { readSdeRun } from "./sde/report/read.ts";
import { sdeRun } from "./sde/run-dir.ts";

/** How runs of one kind become reports. */
interface Reporter {
  /** The runs that stand in one report each. */
  groups(paths: readonly string[]): readonly (readonly string[])[];
  write(
    paths: readonly string[],
    out: string,
    leftOut: readonly string[],
    requested: RequestedTables,
  ): Promise<RunsReport>;
}

/** By the kind of a run; a new kind is one entry. */
const reporters: Readonly<Record<string, Reporter>> = {
  [trainRun.kind]: {
    groups: (paths) => [paths],
    write: (paths, out, _, requested) => writeReport(paths, out, requested),
  },
  [sdeRun.kind]: { groups: bySettings, write: writeSdeReport },
};

/**
 * Writes the reports of runs of any kind, given as run directories or folders of them. One report goes to the folder `out`. Where there are several, those of
 * training stay there and each other one has a folder in it, named after its kind.
 *
 * @throws InputError where there is no run that a report can be made of, or one is damaged, or a table is requested that none of the reports has
 */
export async function writeReports(
  paths: readonly string[],
  out: string,
  requested: RequestedTables = {},
): Promise<RunsReport[]> {
  const all = runDirectories(paths);
  const leftOut = all.filter(({ kind }) => kind === undefined || !(kind in reporters)).map(reasonLeftOut);
  const groups = Object.entries(reporters).flatMap(([kind, { groups: divide, write }]) => {
    const own = all.filter((each) => each.kind === kind).map(({ path }) => path);
    return own.length === 0 ? [] : divide(own).map((group) => ({ kind, group, write }));
  });
  if (groups.length === 0)
    throw new InputError(`no run that a report can be made of: ${leftOut.join("; ")}`, { paths }, "start them first");
  if (requested.iqm && !groups.some(({ kind }) => kind === trainRun.kind))
    throw new InputError("no run of eigensam train for interquartile means (--iqm)", { paths }, "leave --iqm out");
  const reports: RunsReport[] = [];
  const used = new Map<string, number>();
  for (const { kind, group, write } of groups) {
    const count = (used.get(kind) ?? 0) + 1;
    used.set(kind, count);
    const folder =
      groups.length === 1 || kind === trainRun.kind ? out : join(out, count === 1 ? kind : `${kind}-${count}`);
    reports.push(await write(group, folder, leftOut, requested));
  }
  return reports;
}

/** Runs that differ in seed and radius alone; of the same seed and radius, the first. */
function bySettings(paths: readonly string[]): string[][] {
  const groups = new Map<string, Map<string, string>>();
  for (const path of paths) {
    const { settings, seed, rho } = readSdeRun(path);
    const group = groups.get(settings) ?? new Map<string, string>();
    groups.set(settings, group);
    if (!group.has(`${seed} ${rho}`)) group.set(`${seed} ${rho}`, path);
  }
  return [...groups.values()].map((group) => [...group.values()]);
}
