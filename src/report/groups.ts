import { methodOf, rankOf } from "./method.ts";
import type { Run } from "./read-run.ts";

/** Runs that differ in nothing but the seed. */
export interface Group {
  /** As figures and tables call it: the title of the method, and what sets it apart from other groups. */
  readonly label: string;
  /** Name of the method. */
  readonly method: string;
  readonly runs: readonly Run[];
  /** Settings by dotted key, without the seed. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Groups in the order of the registry of methods, other methods after them, their runs by seed. */
export function groupRuns(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Omit<Group, "label"> & { readonly runs: Run[] }>();
  for (const run of runs) {
    const settings = flatten(run.record.config);
    for (const key of SAME_RESULTS) settings.delete(key);
    const key = JSON.stringify([...settings].sort());
    const group = groups.get(key);
    if (group) group.runs.push(run);
    else groups.set(key, { method: run.record.config.method.name, settings, runs: [run] });
  }
  const sorted = [...groups.values()].sort((a, b) => rankOf(a.method) - rankOf(b.method));
  for (const group of sorted) group.runs.sort((a, b) => a.record.config.seed - b.record.config.seed);
  return sorted.map((group) => ({ ...group, label: labelOf(group, sorted) }));
}

/** The seed, and settings that say where a run looks and how it is saved. */
const SAME_RESULTS = ["seed", "data.dir", "train.checkpointEvery"] as const;

/** What every label names where it differs: accuracies on different tasks cannot be compared. */
const TASK = ["data.name", "model.name"] as const;

function labelOf(group: Omit<Group, "label">, all: readonly Omit<Group, "label">[]): string {
  const amongAll = new Set(differingKeys(all));
  const task = TASK.filter((key) => amongAll.has(key)).map((key) => group.settings.get(key)!);
  const title = titleOf(group);
  const peers = all.filter((other) => titleOf(other) === title);
  const own = differingKeys(peers)
    .filter((key) => !TASK.includes(key as (typeof TASK)[number]))
    .map((key) => `${short(key)}=${group.settings.get(key) ?? "default"}`);
  return [title, ...task, ...own].join(" ");
}

const titleOf = ({ runs }: Pick<Group, "runs">): string => methodOf(runs[0]!.record).title;

/** Keys whose values are not the same in all groups, in the order of the settings. */
export function differingKeys(groups: readonly Pick<Group, "settings">[]): string[] {
  return settingKeys(groups).filter((key) => new Set(groups.map(({ settings }) => settings.get(key))).size > 1);
}

export const settingKeys = (groups: readonly Pick<Group, "settings">[]): string[] => [
  ...new Set(groups.flatMap(({ settings }) => [...settings.keys()])),
];

const symbols: Readonly<Record<string, string>> = {
  "method.rho": "ρ",
  "method.alpha": "α",
  "method.every": "k",
  "method.iterations": "p",
  "optimizer.weightDecay": "wd",
  "optimizer.name": "optimizer",
  "schedule.name": "schedule",
};
const short = (key: string): string => symbols[key] ?? key.split(".").at(-1)!;

function flatten(value: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]): [string, string][] =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? [...flatten(inner, `${prefix}${key}.`)]
        : [[prefix + key, Array.isArray(inner) ? `[${inner.join(", ")}]` : String(inner)]],
    ),
  );
}
