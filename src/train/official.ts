import { ConfigError } from "../util/errors.ts";
import type { Registry } from "./registry.ts";

/**
 * What method.compat = "official" decides, by dotted key: what the authors' code does and has no option for (paper.md, section 2, items 1
 * to 3, and the training loop). What it has options for, such as ρ, α, k, the batch and the epochs, is not decided.
 */
const DECIDED = {
  "method.solver": "power",
  "method.warmup": "usam",
  "method.hessianBn": "running",
  "schedule.name": "cosine-epoch",
  "data.validation": 0,
} as const;

/** The same for data sets whose pixels the authors' code normalizes. */
const DECIDED_FOR_CIFAR = { "data.normalization": "official" } as const;

/** In words, for help texts. */
export const decisions = (): string =>
  [...Object.entries(DECIDED), ...Object.entries(DECIDED_FOR_CIFAR)]
    .map(([key, value]) => `${key} ${value}${key in DECIDED_FOR_CIFAR ? " (CIFAR)" : ""}`)
    .join(", ");

type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Settings as they are given, with those that method.compat = "official" decides.
 * @throws ConfigError where one of them is given and differs
 */
export function withDecisions(settings: unknown, { datasets }: Pick<Registry, "datasets">): unknown {
  if (!isTable(settings) || !isTable(settings.method) || settings.method.compat !== "official") return settings;
  const name = isTable(settings.data) ? settings.data.name : undefined;
  const normalized = typeof name === "string" && datasets[name]?.official !== undefined;
  const decided = { ...DECIDED, ...(normalized ? DECIDED_FOR_CIFAR : {}) };
  return Object.entries(decided).reduce(decide, settings);
}

function decide(settings: Table, [key, value]: readonly [string, unknown]): Table {
  const [part, field] = key.split(".") as [string, string];
  const table = settings[part] ?? {};
  // What is no table is refused with a better message by the schema.
  if (!isTable(table)) return settings;
  const given = table[field];
  if (given !== undefined && given !== value)
    throw new ConfigError(
      `${key} is ${JSON.stringify(given)}, but method.compat=official sets it to ${JSON.stringify(value)}`,
      { key, given, decided: value },
      `leave ${key} or method.compat out`,
    );
  return { ...settings, [part]: { ...table, [field]: value } };
}
