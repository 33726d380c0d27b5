import { readFileSync, statSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { holderOf } from "../../run/claim.ts";
import { kindOf, type RecordHead, type RunStatus } from "../../run/directory.ts";
import { runFiles } from "../../run/files.ts";
import { parseJson } from "../../run/lines.ts";
import { EigensamError, InputError } from "../../util/errors.ts";
import { isSystemError, uncaughtFileError } from "../../util/system-errors.ts";
import type { Found } from "./find.ts";
import { kinds } from "./kinds.ts";
import type { Results } from "./results.ts";

/**
 * How a run stands: as run.json says; "killed" where it says "running" and no process is at work; "new" where it has only settings;
 * "damaged" where it cannot be read.
 */
export type Standing = RunStatus | "killed" | "new" | "damaged";

export type SettingValue = string | number | boolean | readonly unknown[] | null;

/** One run as a list shows it. */
export interface RunSummary extends Found, Results {
  readonly kind: string | undefined;
  readonly status: Standing;
  /** Why it failed, or what is wrong with it. */
  readonly error: string | undefined;
  /** When it was last begun or resumed, ISO 8601. */
  readonly date: string | undefined;
  /** Settings by dotted key. */
  readonly settings: ReadonlyMap<string, SettingValue>;
}

/** Reads of a run what a list shows: run.json, or config.toml where it has not begun, and the ends of its logs. It never throws. */
export async function summaryOf(found: Found): Promise<RunSummary> {
  const nothing = { ...found, kind: undefined, date: undefined, settings: new Map<string, SettingValue>() };
  if (found.problem !== undefined) return { ...nothing, status: "damaged", error: found.problem };
  try {
    return { ...nothing, ...(await read(found.path)) };
  } catch (error) {
    return { ...nothing, status: "damaged", error: whatIsWrong(error) };
  }
}

async function read(path: string): Promise<Omit<RunSummary, keyof Found>> {
  const files = runFiles(path);
  const text = textOf(files.record);
  if (text === undefined) {
    const status = (await holderOf(path)) !== undefined ? "running" : "new";
    const date = statSync(files.config).mtime.toISOString();
    return { kind: undefined, status, error: undefined, date, settings: settingsIn(tomlOf(files.config)) };
  }
  const kind = kindOf(path) ?? "train";
  const reader = Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : undefined;
  if (reader === undefined)
    throw new InputError(`is a run of kind "${kind}"; there are ${Object.keys(kinds).join(", ")}`);
  const { record, results } = reader(path, (schema) => parseJson(text, schema, files.record));
  const head: RecordHead & { readonly config: object; readonly startedAt?: string } = record;
  return {
    kind,
    status: head.status === "running" && (await holderOf(path)) === undefined ? "killed" : head.status,
    error: head.error,
    date: head.startedAt ?? statSync(files.config).mtime.toISOString(),
    settings: settingsIn(head.config),
    ...results,
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function tomlOf(path: string): object {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof TomlError) throw new InputError(`${path} is no TOML: line ${error.line}`);
    throw error;
  }
}

/** Nested settings by dotted key. */
function settingsIn(config: object, prefix = ""): Map<string, SettingValue> {
  return new Map(
    Object.entries(config).flatMap(([key, value]): [string, SettingValue][] =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? [...settingsIn(value, `${prefix}${key}.`)]
        : [[prefix + key, value]],
    ),
  );
}

/** An error in one line; paths in front of it repeat what the line begins with. */
function whatIsWrong(error: unknown): string {
  if (error instanceof EigensamError) return error.what;
  if (isSystemError(error)) return uncaughtFileError(error).what;
  return error instanceof Error ? error.message : String(error);
}
