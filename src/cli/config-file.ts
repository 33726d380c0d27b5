import { readFileSync } from "node:fs";
import { ConfigError } from "../util/errors.ts";
import { say } from "./ui.ts";

/** A TOML text, arguments `key=value` that win, and the name of the text. */
export type Given = readonly [toml: string, overrides: readonly string[], source?: string | undefined];

interface Settings<C> {
  resolve(...given: Given): C;
  /** The keys given that the chosen method does not read. */
  unread(...given: Given): readonly string[];
}

/** The settings of arguments, with a note of those that have no effect. The first may be a TOML file; every other one sets a key. */
export const configFrom = <C extends { readonly method: { readonly name: string } }>(
  args: readonly string[],
  settings: Settings<C>,
): C => configOf(givenIn(args), settings);

/** The same of arguments that are read already. */
export function configOf<C extends { readonly method: { readonly name: string } }>(
  given: Given,
  { resolve, unread }: Settings<C>,
): C {
  const config = resolve(...given);
  const keys = unread(...given);
  if (keys.length > 0) say(`note: ${config.method.name} does not read ${keys.join(", ")}`);
  return config;
}

/** What the arguments give, the TOML file read. */
export function givenIn(args: readonly string[]): Given {
  const [first, ...rest] = args;
  if (first === undefined || first.includes("=")) return ["", args];
  try {
    return [readFileSync(first, "utf8"), rest, first];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `${first} cannot be read: ${reason}`,
      { path: first },
      "the first argument is a TOML file or key=value",
    );
  }
}
