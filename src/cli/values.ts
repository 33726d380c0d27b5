import { InvalidArgumentError } from "commander";
import { excerpt } from "../util/excerpt.ts";
import { nearest } from "../util/nearest.ts";

/** Parsers of option values. The option's name is put in front of what they throw (misuse.ts). */

const refused = (text: string, expected: string) =>
  new InvalidArgumentError(`is ${text === "" ? "empty" : `"${excerpt(text)}"`}, expected ${expected}`);

const numberThat =
  (fits: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !fits(value)) throw refused(text, expected);
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
    throw refused(text, `one of ${allowed.join(", ")}${suggestion}`);
  };

/** Comma-separated, each value once. */
export const someOf = <T extends string>(allowed: readonly T[]) => {
  const one = oneOf(allowed);
  return (text: string): T[] => [...new Set(text.split(",").map((part) => one(part.trim())))];
};
