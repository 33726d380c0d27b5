import { logTicks } from "../figures/axis.ts";
import { superscript } from "./numbers.ts";

/** Labels that fit side by side. */
const MOST = 7;

/** Labels at powers of ten, not all of many; at round numbers where powers are few. */
export function logAxis(domain: readonly [number, number]) {
  const ticks = logTicks(domain);
  const exponents = ticks.map(Math.log10);
  if (!exponents.every(Number.isInteger))
    return { values: ticks, labelExpr: "format(datum.value, '~g')", labelOverlap: false };
  const every = Math.ceil(ticks.length / MOST);
  const values = ticks.filter((_, i) => (ticks.length - 1 - i) % every === 0);
  const names = exponents.map((n) => [n, n === 0 ? "1" : `10${superscript(n)}`]);
  return { values, labelExpr: `(${JSON.stringify(Object.fromEntries(names))})[round(log(datum.value) / LN10)]` };
}
