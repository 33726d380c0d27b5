import { ConfigError } from "../../util/errors.ts";
import type { Key } from "./keys.ts";
import type { RunSummary } from "./summary.ts";

const natural = new Intl.Collator("en", { numeric: true });

/** Compares runs. */
export type Order = (a: RunSummary, b: RunSummary) => number;

/** The order of "key", "key:desc" or several of them with commas; runs without a value come last. */
export function orderOf(text: string, find: (key: string) => Key): Order {
  const orders = text.split(",").map((part): Order => {
    const [name = "", direction = "asc", ...more] = part.trim().split(":");
    if (!["asc", "desc"].includes(direction) || more.length > 0)
      throw new ConfigError(`"${part}" is no order`, { text }, "write key, key:asc or key:desc");
    const { of } = find(name);
    const sign = direction === "desc" ? -1 : 1;
    return (a, b) => {
      const [x, y] = [sortable(of(a)), sortable(of(b))];
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : natural.compare(String(x), String(y)));
    };
  });
  return (a, b) => orders.reduce((sofar, order) => sofar || order(a, b), 0);
}

/** Numbers and texts; what is not known, or no number, is neither. */
const sortable = (value: unknown): number | string | undefined =>
  value === undefined || value === null || Number.isNaN(value)
    ? undefined
    : typeof value === "number"
      ? value
      : String(value);
