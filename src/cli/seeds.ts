import { InvalidArgumentError } from "commander";
import { ConfigError } from "../util/errors.ts";

/** "1..5", "1,3,8" or both, as the value of an option: whole numbers, each once. */
export function seedList(text: string): number[] {
  const seeds = seedsIn(text);
  if (seeds === undefined) throw new InvalidArgumentError(`is "${text}", ${EXPECTED}`);
  return seeds;
}

/** The same as the value of a setting. */
export function seedSetting(key: string, text: string): number[] {
  const seeds = seedsIn(text);
  if (seeds === undefined) throw new ConfigError(`${key} is "${text}", ${EXPECTED}`, { key, given: text });
  return seeds;
}

const EXPECTED = "expected seeds as in 1..5 or 1,2,7";

/** At most so many in a range: more is a slip. */
const MOST = 10_000;

function seedsIn(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => {
    const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim()) ?? [];
    const [first, last] = [Number(from), Number(to ?? from)];
    if (from === undefined || last < first || last - first >= MOST) return undefined;
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return parts.some((part) => part === undefined) ? undefined : [...new Set(parts.flatMap((part) => part ?? []))];
}
