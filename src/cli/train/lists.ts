import type { Setting } from "../../run/settings.ts";
import { ConfigError } from "../../util/errors.ts";
import { seedSetting } from "../../util/seeds.ts";

/** A setting that takes several values, in runs of their own. */
export interface ListOfValues {
  readonly key: string;
  /** Arguments, `key=value`. */
  readonly arguments: readonly string[];
}

/**
 * The lists of values among arguments: `method.name=sgd,sam`, and `seed=1..5`. A comma inside quotes or brackets separates nothing;
 * settings that are free text, such as paths, take one value. A key given again replaces what stood before.
 * @throws ConfigError where a value of a list is missing
 */
export function listsIn(args: readonly string[], settings: readonly Setting[]): ListOfValues[] {
  const found = new Map<string, ListOfValues>();
  for (const argument of args) {
    const at = argument.indexOf("=");
    const key = argument.slice(0, Math.max(0, at)).trim();
    const values = valuesOf(
      argument.slice(at + 1).trim(),
      settings.find((setting) => setting.key === key),
    );
    found.delete(key);
    if (at < 1 || values.length < 2) continue;
    const empty = values.indexOf("");
    if (empty >= 0)
      throw new ConfigError(
        `${argument}: value ${empty + 1} of ${values.length} is missing`,
        { argument, key },
        `write ${key}=${values.filter((value) => value !== "").join(",")}`,
      );
    found.set(key, { key, arguments: values.map((value) => `${key}=${value}`) });
  }
  return [...found.values()];
}

function valuesOf(text: string, setting: Setting | undefined): string[] {
  if (setting === undefined || (setting.type === "string" && setting.allowed === undefined)) return [text];
  if (setting.key === "seed" && text.includes("..")) return seedSetting("seed", text).map(String);
  const parts = split(text);
  // Numbers without brackets are one list that lacks them, and the schema says so.
  return setting.type === "array" && !parts.every((part) => part.startsWith("[")) ? [text] : parts;
}

/** The parts between commas that stand outside of quotes and brackets. */
function split(text: string): string[] {
  const parts = [""];
  let [depth, quote] = [0, ""];
  for (const letter of text) {
    if (quote !== "") quote = letter === quote ? "" : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "[" || letter === "{") depth++;
    else if (letter === "]" || letter === "}") depth--;
    if (letter === "," && depth === 0 && quote === "") parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim());
}

/** Every way to take one of each. */
export const product = <T>(lists: readonly (readonly T[])[]): T[][] =>
  lists.reduce<T[][]>((sofar, list) => sofar.flatMap((taken) => list.map((item) => [...taken, item])), [[]]);
