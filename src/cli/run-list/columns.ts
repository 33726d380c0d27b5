import { differing, type fields, type Key } from "../../experiments/run-list/keys.ts";
import type { RunSummary } from "../../experiments/run-list/summary.ts";

/** A column of the list. */
export interface RunColumn {
  readonly key: Key;
  /** The column of the lowest rank goes first where the terminal is narrow; one without rank stays. */
  readonly rank?: number | undefined;
  /** Left out where no run has a value. */
  readonly optional?: boolean;
}

/** What is shown where nothing else is asked for. */
const STANDARD = {
  name: undefined,
  status: undefined,
  method: 9,
  model: 4,
  data: 3,
  seed: 5,
  done: 6,
  valAccuracy: 7,
  testAccuracy: 10,
  testLoss: 8,
  eigenvalue: 7,
  date: 1,
  seconds: 2,
} as const satisfies { readonly [name in keyof typeof fields]?: number | undefined };

/** What stands beside the settings that differ, which go between the results of the test and the others. */
const RESULTS = {
  status: -1003,
  valAccuracy: -1001,
  testAccuracy: 2,
  testLoss: 1,
  eigenvalue: -1002,
  seconds: -1004,
} as const satisfies { readonly [name in keyof typeof fields]?: number };

interface Asked {
  readonly columns?: string | undefined;
  readonly compare?: boolean | undefined;
}

/** The columns that are asked for. `find` throws a ConfigError where no run has one. */
export function columnsFor(
  { columns, compare = false }: Asked,
  runs: readonly RunSummary[],
  find: (key: string) => Key,
): RunColumn[] {
  const named = columns?.split(",").map((key) => find(key.trim()));
  if (compare) {
    const results = named?.map((key, i) => ({ key, rank: named.length - i })) ?? optional(RESULTS, find);
    const kinds = new Set(runs.map(({ kind }) => kind)).size > 1 ? [find("kind")] : [];
    const settings = [...kinds, ...differing(runs)];
    return [{ key: find("name") }, ...settings.map((key, i) => ({ key, rank: -i })), ...results];
  }
  if (named) return named.map((key, i) => ({ key, rank: i === 0 ? undefined : -i }));
  return optional(STANDARD, find);
}

const optional = (ranks: Readonly<Record<string, number | undefined>>, find: (key: string) => Key): RunColumn[] =>
  Object.entries(ranks).map(([key, rank]) => ({ key: find(key), rank, optional: rank !== undefined }));
