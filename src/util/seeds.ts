import { ConfigError } from "./errors.ts";

export const SEEDS_EXPECTED = "expected seeds as in 1..5 or 1,2,7";

/** At most so many in a range: more is a slip. */
const MOST = 10_000;

/** "1..5", "1,3,8" or both: whole numbers, each once; undefined where it is anything else. */
export function seedsIn(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => {
    const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim()) ?? [];
    const [first, last] = [Number(from), Number(to ?? from)];
    if (from === undefined || last < first || last - first >= MOST) return undefined;
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return parts.some((part) => part === undefined) ? undefined : [...new Set(parts.flatMap((part) => part ?? []))];
}

/** The same as the value of a setting; ConfigError where it is anything else. */
export function seedSetting(key: string, text: string): number[] {
  const seeds = seedsIn(text);
  if (seeds === undefined) throw new ConfigError(`${key} is "${text}", ${SEEDS_EXPECTED}`, { key, given: text });
  return seeds;
}
