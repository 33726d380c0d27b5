import { InvalidArgumentError } from "commander";
import { SEEDS_EXPECTED, seedsIn } from "../util/seeds.ts";

/** "1..5", "1,3,8" or both, as the value of an option: whole numbers, each once. */
export function seedList(text: string): number[] {
  const seeds = seedsIn(text);
  if (seeds === undefined) throw new InvalidArgumentError(`is "${text}", ${SEEDS_EXPECTED}`);
  return seeds;
}
