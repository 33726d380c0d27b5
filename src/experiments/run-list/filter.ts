import { ConfigError } from "../../util/errors.ts";
import { type Key, textOf } from "./keys.ts";
import type { RunSummary, SettingValue } from "./summary.ts";

const FORM = /^([^\s=!<>]+)\s*(!=|<=|>=|=|<|>)\s*(.+)$/s;
const RANGE = /^(.*?)\.\.(.*)$/s;
const hint =
  "write key=value, key!=value, key<5, key>=80% or key=1..5; values may be a list, a,b, and texts have * for anything";

/** Whether a run is wanted. */
export type Filter = (run: RunSummary) => boolean;

/**
 * A filter from its text. A value may be a list, of which one must fit; a range of numbers, open at either end; or a text in which * is
 * anything. A run that has no such value fits != alone. ConfigError where the text is no filter, or compares with no number.
 */
export function filterOf(text: string, find: (key: string) => Key): Filter {
  const [, name, operator, value] = FORM.exec(text.trim()) ?? [];
  if (name === undefined || value === undefined) throw new ConfigError(`"${text}" is no filter`, { text }, hint);
  const { of, form } = find(name);
  if (operator === "=" || operator === "!=") {
    const fits = anyOf(value);
    return (run) => fits(of(run)) === (operator === "=");
  }
  const limit = numberOf(value);
  if (limit === undefined && form !== "text" && form !== "date")
    throw new ConfigError(`${name} ${operator} ${value}: ${value} is no number`, { text }, hint);
  const compare = order[operator as keyof typeof order];
  return (run) => {
    const own = of(run);
    // Dates are texts whose order is that of time.
    if (typeof own === "string") return compare(own < value ? -1 : Number(own > value));
    return typeof own === "number" && limit !== undefined && compare(own - limit);
  };
}

const order = {
  "<": (difference: number) => difference < 0,
  "<=": (difference: number) => difference <= 0,
  ">": (difference: number) => difference > 0,
  ">=": (difference: number) => difference >= 0,
} as const;

/** 0.8, or 80%. */
function numberOf(text: string): number | undefined {
  const [, digits, percent] = /^([^%]+?)(%?)$/.exec(text.trim()) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits);
  return Number.isNaN(value) ? undefined : percent === "%" ? value / 100 : value;
}

/** Whether a value is one of a list. */
function anyOf(text: string): (value: SettingValue | undefined) => boolean {
  // A value that is a list itself has commas of its own.
  const tests = (text.startsWith("[") ? [text.replaceAll(/\s/g, "")] : text.split(",")).map((part) =>
    oneOf(part.trim()),
  );
  return (value) => value !== undefined && value !== null && tests.some((fits) => fits(value));
}

function oneOf(text: string): (value: SettingValue) => boolean {
  const [, low, high] = RANGE.exec(text) ?? [];
  const [from, to] = [low, high].map((end) => (end === undefined ? undefined : numberOf(end)));
  const isRange = low !== undefined && high !== undefined && (from !== undefined || to !== undefined);
  const number = numberOf(text);
  const pattern = new RegExp(`^${text.split("*").map(escaped).join(".*")}$`, "s");
  return (value) => {
    if (typeof value === "number" && isRange) return value >= (from ?? -Infinity) && value <= (to ?? Infinity);
    if (typeof value === "number" && number !== undefined) return value === number;
    return pattern.test(textOf(value));
  };
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
