import { createHash } from "node:crypto";
import { stringify } from "smol-toml";
import { proposers } from "../search/propose.ts";
import { gridOf, type Point } from "../search/space.ts";
import type { TrainConfig } from "../train/config.ts";
import { withoutPaths } from "../train/identity.ts";
import type { TrainSettings } from "../train/settings.ts";
import { ConfigError } from "../util/errors.ts";
import type { SweepDefinition } from "./definition.ts";
import { measureOf } from "./measure.ts";
import { nameOf } from "./names.ts";

/** One run of a sweep: a trial with a seed. */
export interface SweepRun {
  /** Name of its folder: what sets it apart, and its id. */
  readonly name: string;
  /** Digest of its resolved settings. */
  readonly id: string;
  readonly trial: number;
  readonly config: TrainConfig;
}

/** Values of what varies, and a run of them with each seed. */
export interface SweepTrial {
  readonly number: number;
  readonly point: Point;
  readonly runs: readonly SweepRun[];
}

/** A sweep whose settings can be resolved. */
export interface Resolvable {
  readonly definition: SweepDefinition;
  readonly settings: TrainSettings;
}

/** Whether all trials are known at the outset; others are proposed as results come. */
export const isFixed = ({ search, listed }: SweepDefinition): boolean =>
  listed.length > 0 || search.by === "grid" || search.by === "random";

/** The trial of a point: its settings resolved with each seed. ConfigError where one is wrong. */
export function trialOf({ definition, settings }: Resolvable, number: number, point: Point): SweepTrial {
  const keys = [...keysOf(definition), "seed"];
  const runs = definition.seeds.map((seed) => {
    const config = settings.check(tableOf(definition, point, seed), definition.name);
    const { data, ...rest } = config;
    const id = createHash("sha256")
      .update(JSON.stringify({ ...rest, data: withoutPaths(data) }))
      .digest("hex")
      .slice(0, ID_LETTERS);
    return { name: `${nameOf(config, keys).slice(0, LONGEST_NAME)}-${id}`, id, trial: number, config };
  });
  return { number, point, runs };
}

const ID_LETTERS = 8;
const LONGEST_NAME = 80;

/**
 * The trials of a sweep that are known at the outset. Points that come to equal settings are one trial: SGD has no radius, so a list
 * of radii gives one trial of it.
 */
export function fixedTrials(sweep: Resolvable): SweepTrial[] {
  const trials = new Map<string, SweepTrial>();
  for (const point of pointsOf(sweep.definition)) {
    const trial = trialOf(sweep, trials.size, point);
    const { id } = trial.runs[0]!;
    if (!trials.has(id)) trials.set(id, trial);
  }
  return [...trials.values()];
}

function pointsOf({ listed, space, search, measure }: SweepDefinition): readonly Point[] {
  if (listed.length > 0) return listed;
  if (search.by === "grid") return gridOf(space);
  const { direction } = measureOf(measure);
  const points: Point[] = [];
  for (let number = 0; number < search.trials; number++)
    points.push(
      proposers.random({
        ...{ space, seed: search.seed, number, direction },
        trials: points.map((point, i) => ({ number: i, point })),
      }),
    );
  return points;
}

/** Keys of what varies that no trial reads. */
export function unreadKeys({ definition, settings }: Resolvable, trials: readonly SweepTrial[]): string[] {
  const unread = trials.map(({ point }) => settings.unread(stringify(tableOf(definition, point, 1)), []));
  return (unread[0] ?? []).filter((key) => unread.every((keys) => keys.includes(key)));
}

/** All keys that vary. */
const keysOf = ({ space, listed }: SweepDefinition): string[] => [
  ...new Set([...space.map(({ key }) => key), ...listed.flatMap((point) => Object.keys(point))]),
];

/** Fixed settings, a point and a seed as one table. */
function tableOf({ settings, name }: SweepDefinition, point: Point, seed: number): Record<string, unknown> {
  const table = structuredClone(settings) as Record<string, unknown>;
  for (const [key, value] of Object.entries(point)) {
    const parts = key.split(".");
    const last = parts.pop()!;
    let inner = table;
    for (const part of parts) {
      const next = inner[part] ?? {};
      if (typeof next !== "object" || next === null)
        throw new ConfigError(`${name}: ${part} is ${JSON.stringify(next)}, expected a table`, { key });
      inner[part] = next;
      inner = next as Record<string, unknown>;
    }
    inner[last] = value;
  }
  return { ...table, seed };
}
