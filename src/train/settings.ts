import { parse, stringify, TomlError } from "smol-toml";
import { z } from "zod";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { type TrainConfig, trainSchema } from "./config.ts";

type Table = { [key: string]: unknown };

/** A setting as help texts list it. */
export interface Setting {
  readonly key: string;
  readonly about: string;
  readonly fallback: unknown;
  readonly allowed: readonly string[] | undefined;
}

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** All settings in the schema's order, by dotted key. */
export const settings: readonly Setting[] = listSettings();

export const settingKeys: readonly string[] = settings.map(({ key }) => key);

/** The settings of a TOML text and of dotted `key=value` arguments, which win; defaults fill the rest. */
export function resolveConfig(toml: string, overrides: readonly string[], source = "config.toml"): TrainConfig {
  const table = parseToml(toml, source);
  for (const override of overrides) assign(table, override);
  return checkConfig(table, source);
}

/** The same from a plain object. */
export function checkConfig(table: unknown, source = "config"): TrainConfig {
  const result = trainSchema.safeParse(table);
  if (!result.success) throw configError(result.error.issues[0]!, table, source);
  return settled(result.data);
}

/** The resolved settings as TOML, from which resolveConfig makes the same settings again. */
export const configToml = (config: TrainConfig): string => stringify(JSON.parse(JSON.stringify(config)));

/** compat = "official" decides four other settings (paper.md, section 2, items 1 to 3, and the power iteration itself). */
function settled(config: TrainConfig): TrainConfig {
  if (config.method.compat === "none") return config;
  return { ...config, method: { ...config.method, solver: "power", warmup: "usam", hessianBn: "running" } };
}

function parseToml(toml: string, source: string): Table {
  try {
    return parse(toml) as Table;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0]!.replace("Invalid TOML document: ", "");
    throw new ConfigError(
      `${source}: line ${error.line}, column ${error.column}: ${reason}`,
      { source, line: error.line, column: error.column },
      'settings are written key = value, text in quotes: name = "resnet18"',
    );
  }
}

/** Sets one dotted key. A value is TOML's, or else a plain word. */
function assign(table: Table, override: string): void {
  const at = override.indexOf("=");
  if (at < 1)
    throw new ConfigError(
      `"${override}" is no setting`,
      { override },
      "write key=value, as in model.width=16 or optimizer.lr=0.05",
    );
  const key = override.slice(0, at).trim();
  const text = override.slice(at + 1).trim();
  if (!settingKeys.includes(key)) throw unknownKey(key);
  const parts = key.split(".");
  const last = parts.pop()!;
  let inner = table;
  for (const part of parts) {
    const next = inner[part] ?? {};
    if (!isTable(next)) throw new ConfigError(`${part} is ${show(next)}, expected a table`, { key: part });
    inner[part] = next;
    inner = next;
  }
  inner[last] = parsedValue(text);
}

function parsedValue(text: string): unknown {
  try {
    return parse(`value = ${text}`).value;
  } catch (error) {
    // A word without quotes is what a shell leaves of one with quotes; the schema decides whether text is right here.
    if (error instanceof TomlError) return text;
    throw error;
  }
}

function configError(issue: z.core.$ZodIssue, table: unknown, source: string): ConfigError {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return unknownKey([...path, issue.keys[0]!].join("."), source);
  const key = path.join(".");
  const given = path.reduce<unknown>((value, part) => (isTable(value) ? value[part] : undefined), table);
  const setting = settings.find((s) => s.key === key);
  const allowed = setting?.allowed;
  if (allowed) {
    const near = typeof given === "string" ? nearest(given, allowed) : undefined;
    const suggestion = near === undefined ? "" : `; did you mean ${near}?`;
    return new ConfigError(
      `${key} is ${show(given)}, expected one of ${allowed.join(", ")}`,
      { key, given, allowed },
      `the default is ${show(setting.fallback)}${suggestion}`,
    );
  }
  const hint = setting ? `${setting.about || key}; the default is ${show(setting.fallback)}` : undefined;
  return new ConfigError(`${key || source} is ${show(given)}: ${issue.message}`, { key, given }, hint);
}

function unknownKey(key: string, source?: string): ConfigError {
  const near = nearest(key, settingKeys) ?? settingKeys.find((known) => known.endsWith(`.${key.split(".").at(-1)}`));
  return new ConfigError(
    `${source ? `${source}: ` : ""}there is no setting ${key}`,
    { key, near },
    near === undefined ? "eigensam train --help lists the settings" : `did you mean ${near}?`,
  );
}

const show = (value: unknown): string => (value === undefined ? "not set" : JSON.stringify(value));

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

function listSettings(): Setting[] {
  const walk = (prefix: string, { properties = {} }: JsonSchema): Setting[] =>
    Object.entries(properties).flatMap(([name, inner]) =>
      inner.properties
        ? walk(`${prefix}${name}.`, inner)
        : [{ key: prefix + name, about: inner.description ?? "", fallback: inner.default, allowed: inner.enum }],
    );
  return walk("", z.toJSONSchema(trainSchema, { io: "input" }) as JsonSchema);
}
