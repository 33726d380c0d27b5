import { type Filter, filterOf } from "./filter.ts";
import { runsBelow } from "./find.ts";
import { type Key, keyFinder } from "./keys.ts";
import { orderOf } from "./order.ts";
import { type RunSummary, summaryOf } from "./summary.ts";

export interface RunsQuery {
  /** All must fit. */
  readonly filters?: readonly string[];
  readonly sort?: string | undefined;
}

export interface FoundSummaries {
  /** Those that fit, in order. */
  readonly runs: readonly RunSummary[];
  /** Those that fit as far as they can be read. */
  readonly damaged: readonly RunSummary[];
  /** How many there are in all, and how many of them are damaged. */
  readonly counts: { readonly all: number; readonly damaged: number };
  /** Finds fields and settings of all of them. */
  readonly find: (key: string) => Key;
}

/**
 * Summaries of the runs among paths and below them. One that is damaged ends nothing: it is left to its own list.
 * @throws InputError where there is no run; ConfigError where a filter or an order is none, or names what no run has
 */
export async function listRuns(
  paths: readonly string[],
  { filters = [], sort }: RunsQuery = {},
): Promise<FoundSummaries> {
  const all = await Promise.all(runsBelow(paths).map(summaryOf));
  const find = keyFinder(all);
  const tests = filters.map((text): Filter => filterOf(text, find));
  const kept = all.filter((run) => tests.every((fits) => fits(run)));
  if (sort !== undefined) kept.sort(orderOf(sort, find));
  const isDamaged = ({ status }: RunSummary) => status === "damaged";
  return {
    runs: kept.filter((run) => !isDamaged(run)),
    damaged: kept.filter(isDamaged),
    counts: { all: all.length, damaged: all.filter(isDamaged).length },
    find,
  };
}
