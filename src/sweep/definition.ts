import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { checkSpace } from "../search/check.ts";
import type { Parameter, Space, Value } from "../search/space.ts";
import { ConfigError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import { expectation } from "../util/expectation.ts";
import { merged } from "../util/merge.ts";
import { seedSetting } from "../util/seeds.ts";
import { clusterOptions } from "./cluster-options.ts";
import { measures, type MeasureName } from "./measure.ts";

type Table = Readonly<Record<string, unknown>>;

const table = z.record(z.string(), z.unknown());

/** How the points of a sweep are chosen. */
export const searches = {
  grid: "every combination of the values",
  random: "trials drawn at random",
  tpe: "trials proposed by a tree-structured Parzen estimator (Bergstra et al. 2011)",
  asha: "trials drawn at random, of which the worst stop early (Li et al. 2020)",
} as const;

export type SearchName = keyof typeof searches;

const searchNames = Object.keys(searches) as [SearchName, ...SearchName[]];

const range = z
  .strictObject({
    min: z.number(),
    max: z.number(),
    log: z.boolean().default(false),
    integer: z.boolean().default(false),
    points: z.int().min(2).optional(),
  })
  .refine(({ min, max }) => min < max, "expected min below max")
  .refine(({ min, log }) => !log || min > 0, "expected min above 0 where log is true");

const sweepFile = z.strictObject({
  name: z
    .string()
    .regex(/^[\w][\w.-]*$/, "expected letters, digits, dots and dashes")
    .optional(),
  config: z.string().optional(),
  settings: table.default({}),
  vary: table.default({}),
  when: z.array(z.strictObject({ if: table, vary: table })).default([]),
  runs: z.array(table).default([]),
  seeds: z.union([z.string(), z.array(z.int().min(0)).min(1)]).default([1]),
  measure: z.enum(Object.keys(measures) as [MeasureName, ...MeasureName[]]).default("val.accuracy"),
  threads: z.int().min(1).optional(),
  search: z
    .strictObject({
      by: z.enum(searchNames).default("grid"),
      trials: z.int().min(1).default(20),
      seed: z.int().min(0).default(1),
      minEpochs: z.int().min(1).default(1),
      eta: z.int().min(2).default(3),
    })
    .prefault({}),
  ...clusterOptions,
});

/** What a sweep file says, resolved: fixed settings, what varies, seeds, what ranks, where it runs. */
export interface SweepDefinition
  extends Omit<z.output<typeof sweepFile>, "name" | "vary" | "when" | "seeds" | "config" | "runs"> {
  readonly name: string;
  /** Settings of the file that `config` names, and then of `settings`, which win. */
  readonly settings: Table;
  readonly space: Space;
  /** Points listed one by one, dotted keys to values; empty where the space is searched. */
  readonly listed: readonly Readonly<Record<string, Value>>[];
  readonly seeds: readonly number[];
}

const shown = (value: unknown): string => excerpt(JSON.stringify(value) ?? "nothing");

/** What a sweep file needs from outside: its name without ending, and how a path in it is read. */
interface Source {
  readonly source: string;
  readonly fallbackName: string;
  readonly read: (path: string) => string;
  /** A search asked for in place of the file's. */
  readonly by?: SearchName | undefined;
}

/**
 * The definition of a sweep from TOML: `vary` has lists of values and ranges by setting, `[[when]]` those that vary under a condition
 * alone, `[[runs]]` points listed one by one instead.
 * @throws ConfigError where it says something that is not allowed
 */
export function sweepOf(toml: string, { source, fallbackName, read, by }: Source): SweepDefinition {
  const given = parsed(toml, source);
  const { data, error } = sweepFile.safeParse(given);
  if (error !== undefined) throw notAllowed(error.issues[0]!, given, source);
  const search = { ...data.search, by: by ?? data.search.by };
  const { name = fallbackName, config, vary, when, runs, seeds, settings, ...rest } = data;
  const base = config === undefined ? {} : parsed(read(config), excerpt(config, 200));
  const space: Space = [
    ...leavesOf(vary).map(([key, value]) => ({ key, domain: domainOf(key, value, source) })),
    ...when.flatMap((each) => {
      const condition = Object.fromEntries(leavesOf(each.if).map(([key, value]) => [key, [value].flat() as Value[]]));
      return leavesOf(each.vary).map(([key, value]) => ({
        key,
        domain: domainOf(key, value, source),
        when: condition,
      }));
    }),
  ];
  const listed = runs.map((run) => Object.fromEntries(leavesOf(run)) as Record<string, Value>);
  assertSensible(space, listed, source);
  return {
    ...rest,
    search,
    name,
    settings: merged(base, settings),
    space: search.by === "grid" ? space.map(pointsOf) : space,
    listed,
    seeds: typeof seeds === "string" ? seedSetting(`${source}: seeds`, seeds) : [...new Set(seeds)],
  };
}

function parsed(toml: string, source: string): Table {
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0]!.replace("Invalid TOML document: ", "");
    throw new ConfigError(`${source}: line ${error.line}, column ${error.column}: ${reason}`, { source });
  }
}

function notAllowed(issue: z.core.$ZodIssue, given: unknown, source: string): ConfigError {
  const key = [...issue.path.map(String), ...(issue.code === "unrecognized_keys" ? [issue.keys[0]!] : [])].join(".");
  if (issue.code === "unrecognized_keys")
    return new ConfigError(
      `${source}: there is no ${excerpt(key)} in a sweep`,
      { source, key },
      "settings of the runs go under [settings]; see docs/guide/sweep.md",
    );
  const value = issue.path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown>)?.[part], given);
  return new ConfigError(`${source}: ${key} is ${shown(value)}, ${expectation(issue)}`, { source, key });
}

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a table of settings holds, by dotted key; a range is a value. */
function leavesOf(value: Table, prefix = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] =>
    isTable(inner) && !("min" in inner && "max" in inner)
      ? leavesOf(inner, `${prefix}${key}.`)
      : [[prefix + key, inner]],
  );
}

function domainOf(
  key: string,
  value: unknown,
  source: string,
): Parameter["domain"] & { readonly points?: number | undefined } {
  if (Array.isArray(value) && value.length > 0) return { kind: "choice", values: value as Value[] };
  if (!isTable(value))
    throw new ConfigError(
      `${source}: ${key} varies over ${shown(value)}, expected a list of values or a range`,
      { source, key },
      `write ${key} = [0.1, 0.2] or ${key} = { min = 0.01, max = 1, log = true }; one value belongs under [settings]`,
    );
  const { data, error } = range.safeParse(value);
  if (error !== undefined)
    throw new ConfigError(`${source}: the range of ${key} is ${shown(value)}, ${expectation(error.issues[0]!)}`, {
      source,
      key,
    });
  return { kind: "range", ...data };
}

/** The points of a range that a grid takes: evenly spaced, or by equal factors where it is logarithmic. */
function pointsOf(parameter: Space[number]): Space[number] {
  const domain: ReturnType<typeof domainOf> = parameter.domain;
  if (domain.kind === "choice") return parameter;
  const { min, max, log, integer, points: count } = domain;
  if (count === undefined)
    throw new ConfigError(
      `${parameter.key} is a range, and a grid needs points`,
      { key: parameter.key },
      "add points = 5 to the range, list the values, or choose --search random, tpe or asha",
    );
  const values = Array.from({ length: count }, (_, i) => {
    const t = i / (count - 1);
    // Written with few digits, as a person would: names and settings show them.
    const value = Number((log ? min * (max / min) ** t : min + (max - min) * t).toPrecision(4));
    return integer ? Math.round(value) : value;
  });
  return { ...parameter, domain: { kind: "choice", values: [...new Set(values)] } };
}

function assertSensible(space: Space, listed: readonly object[], source: string): void {
  const keys = space.map(({ key }) => key);
  if (listed.length > 0 && space.length > 0)
    throw new ConfigError(`${source} has both [[runs]] and what varies`, { source }, "give one of them");
  if (keys.includes("seed"))
    throw new ConfigError(`${source}: seed varies`, { source }, 'seeds are replicates: seeds = "1..5" at the top');
  checkSpace(space);
}
