import type { TrainConfig } from "../../train/config.ts";
import { configToml, type TrainSettings } from "../../train/settings.ts";
import { nameOf } from "../../sweep/names.ts";
import { ConfigError } from "../../util/errors.ts";
import type { Given } from "../config-file.ts";
import { listsIn, product } from "./lists.ts";

/** One run of a plan: the name of its folder, and its settings. */
export interface PlannedRun {
  readonly name: string;
  readonly config: TrainConfig;
}

/** The runs that lists of values ask for. */
export interface Plan {
  /** The settings that vary, by dotted key. */
  readonly keys: readonly string[];
  readonly runs: readonly PlannedRun[];
  /** Keys given that no run reads. */
  readonly unread: readonly string[];
}

/**
 * The product of all lists of values, and of the seeds; undefined where there is none of either. Runs that come to equal settings
 * are one: SGD has no radius, so a list of radii gives one run of it.
 * @throws ConfigError where a setting of any run is wrong
 */
export function planOf(
  [toml, overrides, source]: Given,
  seeds: readonly number[] | undefined,
  { list, resolve, unread }: TrainSettings,
): Plan | undefined {
  const lists = listsIn(overrides, list);
  if (seeds !== undefined && overrides.some((argument) => /^\s*seed\s*=/.test(argument)))
    throw new ConfigError("both --seeds and seed= were given", { seeds }, "give one of them");
  const all = [
    ...lists,
    ...(seeds === undefined ? [] : [{ key: "seed", arguments: seeds.map((seed) => `seed=${seed}`) }]),
  ];
  if (all.length === 0) return undefined;
  const keys = all.map(({ key }) => key);
  const runs = new Map<string, PlannedRun>();
  let unreadByAll: readonly string[] | undefined;
  for (const chosen of product(all.map((each) => each.arguments))) {
    const given: Given = [toml, [...overrides, ...chosen], source];
    const config = resolve(...given);
    const skipped = unread(...given);
    unreadByAll = unreadByAll?.filter((key) => skipped.includes(key)) ?? skipped;
    const text = configToml(config);
    if (!runs.has(text)) runs.set(text, { name: nameOf(config, keys), config });
  }
  return { keys, runs: [...runs.values()], unread: unreadByAll ?? [] };
}
