import { InvalidArgumentError } from "commander";
import { nearest } from "../util/nearest.ts";

/** Parsers of option values. Commander puts the option's name in front of what they throw. */

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`got "${text}", expected a positive integer`);
  return value;
}

export const oneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T => {
    if ((allowed as readonly string[]).includes(text)) return text as T;
    const near = nearest(text, allowed);
    const suggestion = near === undefined ? "" : ` (Did you mean ${near}?)`;
    throw new InvalidArgumentError(`got "${text}", expected one of ${allowed.join(", ")}${suggestion}`);
  };

/** Comma-separated, each value once. */
export const someOf = <T extends string>(allowed: readonly T[]) => {
  const one = oneOf(allowed);
  return (text: string): T[] => [...new Set(text.split(",").map((part) => one(part.trim())))];
};

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError(`got "${text}", expected a whole number of at least 0`);
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0))
    throw new InvalidArgumentError(`got "${text}", expected a number above 0`);
  return value;
}
