import { existsSync, readFileSync, statSync } from "node:fs";
import type { RunSettings } from "../run/settings.ts";
import { ConfigError } from "../util/errors.ts";
import { isSystemError, reasonOf } from "../util/system-errors.ts";
import { say } from "./ui.ts";

/** A TOML text, arguments `key=value` that win, and the name of the text. */
export type Given = readonly [toml: string, overrides: readonly string[], source?: string | undefined];

interface Named {
  readonly name: string;
}

/** The settings of what arguments give, with a note of those that have no effect. */
export function configOf<C extends Readonly<Record<"method", Named>> & { readonly optimizer?: Named }>(
  given: Given,
  { resolve, unread }: RunSettings<C>,
): C {
  const config = resolve(...given);
  const keys = unread(...given);
  const byOptimizer = keys.filter((key) => key.startsWith("optimizer."));
  const others = keys.filter((key) => !byOptimizer.includes(key));
  if (others.length > 0) say(`note: ${config.method.name} does not read ${others.join(", ")}`);
  if (byOptimizer.length > 0) say(`note: ${config.optimizer?.name} does not read ${byOptimizer.join(", ")}`);
  return config;
}

/** What arguments give: the first may be a TOML file, which is read; every other one sets a key. */
export function givenIn(args: readonly string[]): Given {
  const [first, ...rest] = args;
  if (first === undefined || !namesFile(first)) return ["", args];
  return [readSettings(first), rest, first];
}

/** Whether the argument is a file: one that is there, or one by its name: no setting has a slash. All others are settings. */
function namesFile(text: string): boolean {
  if (existsSync(text) && !statSync(text).isDirectory()) return true;
  return !text.includes("=") || /[/\\]/.test(text.slice(0, text.indexOf("=")));
}

function readSettings(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const hint =
      error.code === "EISDIR"
        ? `eigensam train --resume ${path} resumes a run; ${path}/config.toml holds its settings`
        : "the first argument is a TOML file or key=value";
    throw new ConfigError(`${path} cannot be read: ${reasonOf(error).why}`, { path }, hint);
  }
}
