import { methodOf, rankOf } from "./method.ts";
import { printable } from "./printable.ts";
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

type Unnamed = Omit<Group, "label">;

/**
 * Groups in the order of the registry of methods; other methods come after them by title. Groups of one method are in the order of what
 * sets them apart, their runs by seed.
 */
export function groupRuns(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Unnamed & { readonly runs: Run[] }>();
  for (const run of runs) {
    const settings = flatten(run.record.config);
    for (const key of SAME_RESULTS) settings.delete(key);
    const key = JSON.stringify([...settings].sort());
    const group = groups.get(key);
    if (group) group.runs.push(run);
    else groups.set(key, { method: run.record.config.method.name, settings, runs: [run] });
  }
  const all = [...groups.values()];
  for (const group of all) group.runs.sort((a, b) => a.record.config.seed - b.record.config.seed);
  const order = new Intl.Collator("en", { numeric: true });
  const own = new Map(all.map((group) => [group, marksOf(group, all)]));
  const sorted = all.sort(
    (a, b) =>
      rankOf(a.method) - rankOf(b.method) ||
      order.compare(titleOf(a), titleOf(b)) ||
      own.get(a)!.reduce((sofar, mark, i) => sofar || compareMarks(mark, own.get(b)![i] ?? "", order), 0),
  );
  return withLabels(sorted);
}

/** "ρ=0.05" before "ρ=0.2": by the numbers they end in, which a collator reads digit group by digit group; else as text. */
function compareMarks(a: string, b: string, order: Intl.Collator): number {
  const [x, y] = [a, b].map((mark) => Number.parseFloat(mark.slice(mark.indexOf("=") + 1)));
  return x! - y! || order.compare(a, b);
}

/** The seed, and settings that say where a run looks and what it leaves. */
const SAME_RESULTS = ["seed", "data.dir", "train.checkpointEvery", "train.tensorboard"] as const;

/** What every label names where it differs: accuracies on different tasks cannot be compared. */
const TASK = ["data.name", "model.name"] as const;

/** Characters of a label: what a legend has room for. */
const LONGEST = 36;

/** Groups by their title and what sets them apart; by a number where that would be long, and the table of settings says which is which. */
function withLabels(groups: readonly Unnamed[]): Group[] {
  const titles = groups.map(titleOf);
  const whole = groups.map((group, i) => [titles[i]!, ...marksOf(group, groups)].join(" "));
  const peersOf = (i: number) => groups.map((_, j) => j).filter((j) => titles[j] === titles[i]);
  return groups.map((group, i) => {
    const peers = peersOf(i);
    const named = peers.map((j) => whole[j]!);
    const fits = named.every((label) => label.length <= LONGEST) && new Set(named).size === named.length;
    const nth = peers.length > 1 ? ` ${peers.indexOf(i) + 1}` : "";
    const title = titles[i]!.length > LONGEST ? `${titles[i]!.slice(0, LONGEST - 4)}…` : titles[i]!;
    return { ...group, label: fits ? whole[i]! : `${title}${nth}` };
  });
}

/** What sets a group apart: data set and model where any differ, and as few settings as tell it from others of its title. */
function marksOf(group: Unnamed, all: readonly Unnamed[]): string[] {
  const amongAll = new Set(differingKeys(all));
  const task = TASK.filter((key) => amongAll.has(key)).map((key) => group.settings.get(key)!);
  const peers = all.filter((other) => titleOf(other) === titleOf(group));
  return [...task, ...marksBy(tellingKeys(peers), group)];
}

/** "ρ=0.05" and the like, for the settings of these keys that the group has. */
export const marksBy = (keys: readonly string[], { settings }: Pick<Group, "settings">): string[] =>
  keys.flatMap((key) => {
    const value = settings.get(key);
    return value === undefined ? [] : [`${short(key)}=${value.split("/").at(-1)}`];
  });

/** The first keys, those that matter most, by which no two of the groups that differ look alike. */
export function tellingKeys(peers: readonly Unnamed[]): string[] {
  const kinds = (keys: readonly string[]) =>
    new Set(peers.map(({ settings }) => JSON.stringify(keys.map((key) => settings.get(key) ?? null)))).size;
  const candidates = differingKeys(peers)
    .filter((key) => !TASK.some((task) => task === key) && key !== "method.solver")
    .sort((a, b) => importanceOf(a) - importanceOf(b));
  const chosen: string[] = TASK.slice();
  while (kinds(chosen) < kinds([...TASK, ...candidates])) {
    const [best] = candidates.toSorted((a, b) => kinds([...chosen, b]) - kinds([...chosen, a]));
    chosen.push(best!);
  }
  return chosen.slice(TASK.length);
}

/** Tables of settings, the most telling first. */
const TABLES = ["method", "optimizer", "schedule", "model", "data", "train"] as const;

function importanceOf(key: string): number {
  // How often a run is looked at changes little.
  if (key.endsWith("Every")) return TABLES.length + 1;
  const at = TABLES.findIndex((table) => key.startsWith(`${table}.`));
  return at < 0 ? TABLES.length : at;
}

/** Without characters that a drawing cannot hold. */
export function titleOf({ runs }: Pick<Group, "runs">): string {
  const { record } = runs[0]!;
  const { title, eigenvector } = methodOf(record);
  // An eigenvector is worth what its solver makes of it, so every label names that.
  const { solver } = record.config.method;
  return printable(eigenvector && typeof solver === "string" ? `${title} (${solver})` : title);
}

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
  "method.align": "α",
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
        : [[prefix + key, printable(Array.isArray(inner) ? `[${inner.join(", ")}]` : String(inner))]],
    ),
  );
}
