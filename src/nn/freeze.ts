import { ConfigError } from "../util/errors.ts";
import type { Layout } from "./layout.ts";

/** Whether a name fits a pattern, in which * stands for any text, dots included. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}

const SHOWN = 12;

/**
 * The names of the parameters that fit one of the patterns.
 * @throws ConfigError where a pattern fits none, or all parameters fit
 */
export function frozenBy(patterns: readonly string[], { entries }: Layout): ReadonlySet<string> {
  const names = entries.map(({ name }) => name);
  const idle = patterns.find((pattern) => !names.some((name) => fits(pattern, name)));
  if (idle !== undefined)
    throw new ConfigError(
      `model.freeze has "${idle}", which fits no parameter`,
      { pattern: idle, names },
      `parameters are ${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ""}`,
    );
  const frozen = new Set(names.filter((name) => patterns.some((pattern) => fits(pattern, name))));
  if (frozen.size === names.length)
    throw new ConfigError(
      `model.freeze is ${JSON.stringify(patterns)}, which leaves no parameter to train`,
      { patterns },
      "leave out the head, at least",
    );
  return frozen;
}
