import { type TrainingMethodName, trainingMethods } from "../optim/methods.ts";
import type { Run } from "./read-run.ts";

/** Runs that differ in nothing but the seed. */
export interface Group {
  /** As figures and tables call it: the method, and what sets it apart from other groups of the same method. */
  readonly label: string;
  readonly method: TrainingMethodName;
  readonly runs: readonly Run[];
  /** Settings by dotted key, without the seed. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Groups in the order of the registry of methods. */
export function groupRuns(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Omit<Group, "label">>();
  for (const run of runs) {
    const settings = flatten(run.record.config);
    settings.delete("seed");
    const key = JSON.stringify([...settings]);
    const method = run.record.config.method.name as TrainingMethodName;
    const before = groups.get(key)?.runs ?? [];
    groups.set(key, { method, settings, runs: [...before, run] });
  }
  const order = Object.keys(trainingMethods);
  const sorted = [...groups.values()].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  return sorted.map((group) => ({ ...group, label: labelOf(group, sorted) }));
}

function labelOf(group: Omit<Group, "label">, all: readonly Omit<Group, "label">[]): string {
  const peers = all.filter(({ method }) => method === group.method);
  const differing = differingKeys(peers);
  const extra = differing.map((key) => `${short(key)}=${group.settings.get(key) ?? "–"}`);
  return [trainingMethods[group.method].title, ...extra].join(" ");
}

/** Keys whose values are not the same in all groups. */
export function differingKeys(groups: readonly Omit<Group, "label">[]): string[] {
  const keys = new Set(groups.flatMap(({ settings }) => [...settings.keys()]));
  return [...keys].filter((key) => new Set(groups.map(({ settings }) => settings.get(key))).size > 1);
}

const symbols: Readonly<Record<string, string>> = { "method.rho": "ρ", "method.alpha": "α", "optimizer.lr": "lr" };
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
