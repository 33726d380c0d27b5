import { readFileSync } from "node:fs";
import { ConfigError } from "../util/errors.ts";

/** The first argument may be a TOML file; every other one sets a key. */
export function configFrom<T>(
  args: readonly string[],
  resolve: (toml: string, overrides: readonly string[], source?: string) => T,
): T {
  const [first, ...rest] = args;
  if (first === undefined || first.includes("=")) return resolve("", args);
  try {
    return resolve(readFileSync(first, "utf8"), rest, first);
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
