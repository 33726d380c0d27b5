import { logTicks } from "../figures/axis.ts";
import { superscript } from "./numbers.ts";

/** Labels that fit side by side. */
const MOST = 7;

/** Labels at powers of ten, not all of many; at round numbers where powers are few. */
export function logAxis(domain: readonly [number, number]) {
  const ticks = logTicks(domain);
  const exponents = ticks.map(Math.log10);
  const powers = exponents.every(Number.isInteger);
  const every = powers ? Math.ceil(ticks.length / MOST) : 1;
  const values = ticks.filter((_, i) => (ticks.length - 1 - i) % every === 0);
  const names = exponents.map((n) => [n, n === 0 ? "1" : `10${superscript(n)}`]);
  const labelExpr = powers
    ? `(${JSON.stringify(Object.fromEntries(names))})[round(log(datum.value) / LN10)]`
    : "format(datum.value, '~g')";
  // Vega drops every other label where there are more than it expects.
  return { values, labelExpr, tickCount: values.length, labelOverlap: false };
}
