import { parse, stringify, TomlError } from "smol-toml";
import { z } from "zod";
import { ConfigError } from "../util/errors.ts";
import { excerpt, shown } from "../util/excerpt.ts";
import { expectation } from "../util/expectation.ts";
import { nearest } from "../util/nearest.ts";
import { asToml, settingValue } from "./values.ts";

type Table = { [key: string]: unknown };

/** A setting as help texts list it. */
export interface Setting {
  readonly key: string;
  readonly about: string;
  readonly fallback: unknown;
  readonly allowed: readonly string[] | undefined;
  /** The type of its values in JSON schema. */
  readonly type: string | undefined;
}

/** The settings of a kind of run, from TOML and dotted `key=value` arguments. */
export interface RunSettings<C> {
  /** All of them in the schema's order, by dotted key. */
  readonly list: readonly Setting[];
  /** The settings of a TOML text and of `key=value` arguments, which win; defaults fill the rest. */
  resolve(toml: string, overrides: readonly string[], source?: string): C;
  /** The keys of numbers among the same that the chosen method does not read; they are left out of the settings. */
  unread(toml: string, overrides: readonly string[], source?: string): readonly string[];
}

interface SettingsOptions {
  /** The command whose --help lists them. */
  readonly command: string;
  /** Two settings as examples. */
  readonly example: string;
  /** Settings whose names plugins can add to. */
  readonly extensible?: readonly string[];
  /** Settings of earlier versions, and what they are called now. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Completes what is given by what one of the settings decides, before defaults do. */
  readonly complete?: (table: unknown) => unknown;
}

/** The settings of a schema, from TOML and dotted `key=value` arguments; errors name the key and the nearest valid one. */
export function settingsOf<C>(schema: z.ZodType<C>, options: SettingsOptions) {
  const list = listSettings(schema);
  const known: Known = { ...options, list, keys: list.map(({ key }) => key) };
  /** From a plain object. */
  const check = (given: unknown, source = "config"): C => {
    const table = options.complete ? options.complete(given) : given;
    const result = schema.safeParse(table);
    if (!result.success) throw configError(known, result.error.issues[0]!, table, source);
    return result.data;
  };
  return {
    /** All of them in the schema's order, by dotted key. */
    list,
    keys: known.keys,
    check,
    /** From a TOML text and from arguments, which win; defaults fill the rest. */
    resolve: (toml: string, overrides: readonly string[], source = "config.toml"): C => {
      const table = parseToml(toml, source);
      for (const override of overrides) assign(known, table, override);
      return check(table, source);
    },
  };
}

/** Resolved settings as TOML, from which `resolve` makes the same settings again. */
export const settingsToml = (config: object): string => stringify(JSON.parse(JSON.stringify(config)));

interface Known extends SettingsOptions {
  readonly list: readonly Setting[];
  readonly keys: readonly string[];
}

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseToml(toml: string, source: string): Table {
  try {
    return parse(toml) as Table;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const lenient = asToml(toml);
    if (lenient !== toml) return parseToml(lenient, source);
    const reason = error.message.split("\n")[0]!.replace("Invalid TOML document: ", "");
    throw new ConfigError(
      `${source}: line ${error.line}, column ${error.column}: ${reason}`,
      { source, line: error.line, column: error.column },
      'settings are written key = value, text in quotes: name = "resnet18"',
    );
  }
}

/** Sets one dotted key. A value is TOML's, or else a plain word. */
function assign(known: Known, table: Table, override: string): void {
  const at = override.indexOf("=");
  if (at < 1)
    throw new ConfigError(
      `"${excerpt(override)}" is no setting`,
      { override },
      `write key=value, as in ${known.example}`,
    );
  const key = override.slice(0, at).trim();
  const text = override.slice(at + 1).trim();
  if (!known.keys.includes(key)) throw unknownKey(known, key);
  const parts = key.split(".");
  const last = parts.pop()!;
  let inner = table;
  for (const part of parts) {
    const next = inner[part] ?? {};
    if (!isTable(next)) throw new ConfigError(`${part} is ${show(next)}, expected a table`, { key: part });
    inner[part] = next;
    inner = next;
  }
  inner[last] = settingValue(text, known.list.find((setting) => setting.key === key)?.type);
}

function configError(known: Known, issue: z.core.$ZodIssue, table: unknown, source: string): ConfigError {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return unknownKey(known, [...path, issue.keys[0]!].join("."), source);
  const key = path.join(".");
  const given = path.reduce<unknown>((value, part) => (isTable(value) ? value[part] : undefined), table);
  const setting = known.list.find((s) => s.key === key);
  const allowed = setting?.allowed;
  if (allowed) {
    const near = typeof given === "string" ? nearest(given, allowed) : undefined;
    const suggestion = near === undefined ? [] : [`did you mean ${near}?`];
    const others = known.extensible?.includes(key) ? ["--plugin FILE adds others"] : [];
    return new ConfigError(
      `${key} is ${show(given)}, expected one of ${allowed.join(", ")}`,
      { key, given, allowed },
      [...defaultOf(setting), ...suggestion, ...others].join("; ") || undefined,
    );
  }
  const unquoted = setting?.type === "string" && given !== undefined;
  if (unquoted)
    return new ConfigError(
      `${key} is ${show(given)}, expected text`,
      { key, given },
      `put it in quotes: "${show(given)}"`,
    );
  const hint = setting ? [setting.about || key, ...defaultOf(setting)].join("; ") : undefined;
  return new ConfigError(`${key || source} is ${show(given)}, ${expectation(issue)}`, { key, given }, hint);
}

const defaultOf = ({ fallback }: Setting): string[] =>
  fallback === undefined ? [] : [`the default is ${show(fallback)}`];

function unknownKey({ keys, command, renamed = {} }: Known, key: string, source?: string): ConfigError {
  const what = `${source ? `${source}: ` : ""}there is no setting ${excerpt(key)}`;
  const now = renamed[key];
  if (now !== undefined) return new ConfigError(what, { key, now }, `it is ${now} now`);
  const near = nearest(key, keys) ?? keys.find((known) => known.endsWith(`.${key.split(".").at(-1)}`));
  return new ConfigError(
    what,
    { key, near },
    near === undefined ? `${command} --help lists the settings` : `did you mean ${near}?`,
  );
}

const show = (value: unknown): string => shown(value) ?? "not set";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly type?: string;
}

function listSettings(schema: z.ZodType): Setting[] {
  const walk = (prefix: string, { properties = {} }: JsonSchema): Setting[] =>
    Object.entries(properties).flatMap(([name, inner]) =>
      inner.properties
        ? walk(`${prefix}${name}.`, inner)
        : [
            {
              key: prefix + name,
              about: inner.description ?? "",
              fallback: inner.default,
              allowed: inner.enum,
              type: inner.type,
            },
          ],
    );
  return walk("", z.toJSONSchema(schema, { io: "input" }) as JsonSchema);
}
