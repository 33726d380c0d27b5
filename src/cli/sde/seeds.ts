import { InvalidArgumentError } from "commander";

/** "1..5", "1,3,8" or both: whole numbers, each once. */
export function seedList(text: string): number[] {
  const parts = text.split(",").map((part) => {
    const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim()) ?? [];
    const [first, last] = [Number(from), Number(to ?? from)];
    if (from === undefined || last < first || last - first >= MOST)
      throw new InvalidArgumentError(`got "${text}", expected seeds as in 1..5 or 1,2,7`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(parts.flat())];
}

const MOST = 10_000;
