import { InvalidArgumentError } from "commander";
import { excerpt } from "../util/excerpt.ts";
import { nearest } from "../util/nearest.ts";

/** Parsers of option values. Commander puts the option's name in front of what they throw. */

const numberThat =
  (fits: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !fits(value))
      throw new InvalidArgumentError(`got "${excerpt(text)}", expected ${expected}`);
    return value;
  };

export const positiveInteger = numberThat((n) => Number.isSafeInteger(n) && n >= 1, "a positive integer");
export const nonNegativeInteger = numberThat((n) => Number.isSafeInteger(n) && n >= 0, "a whole number of at least 0");
export const positiveNumber = numberThat((n) => Number.isFinite(n) && n > 0, "a number above 0");

export const oneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T => {
    if ((allowed as readonly string[]).includes(text)) return text as T;
    const near = nearest(text, allowed);
    const suggestion = near === undefined ? "" : ` (Did you mean ${near}?)`;
    throw new InvalidArgumentError(`got "${excerpt(text)}", expected one of ${allowed.join(", ")}${suggestion}`);
  };

/** Comma-separated, each value once. */
export const someOf = <T extends string>(allowed: readonly T[]) => {
  const one = oneOf(allowed);
  return (text: string): T[] => [...new Set(text.split(",").map((part) => one(part.trim())))];
};
