import type { CurvatureResult } from "../../curvature/result.ts";
import { logAxis } from "./log-axis.ts";
import { count } from "./numbers.ts";

/** Okabe & Ito's blue and vermilion: curved upwards and downwards. */
export const POSITIVE = "#0072b2";
export const NEGATIVE = "#d55e00";

export const colourOf = (value: number): string => (value < 0 ? NEGATIVE : POSITIVE);

const modes = {
  batch: "batch statistics",
  running: "running statistics",
} as const satisfies Record<NonNullable<CurvatureResult["bn"]>, string>;

/** Which statistics batch norm used; undefined for a network without it. */
export const batchNorm = ({ bn }: CurvatureResult): string | undefined => (bn === null ? undefined : modes[bn]);

/** Characters of a subtitle above a narrow figure. */
const LINE = 54;

/** The title of a figure: its subtitle says what is drawn, where the title does not, and below it of what. */
export function titled(result: CurvatureResult, text: string, shows?: string) {
  const { model, data } = result;
  const what = `${model} on ${data}`;
  const norm = batchNorm(result);
  const how = `${count(result.n)} images${norm === undefined ? "" : `, batch norm on ${norm}`}`;
  const whole = `${what}, ${how}`;
  const of = whole.length <= LINE ? [whole] : [...(what.length <= LINE ? [what] : [model, `on ${data}`]), how];
  return { title: { text, subtitle: shows === undefined ? of : [shows, ...of] } };
}

/** The interval of all finite values, with a margin on both sides. */
export function extent(values: readonly number[], margin: number): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = margin * (high - low || Math.abs(high) || 1);
  return [low - room, high + room];
}

/** The horizontal axis of a curve, over the interval of all these values. */
export function across(values: readonly number[], title: string) {
  const domain = extent(values, 0.01);
  const scale = { domain, nice: false, zero: false };
  return { field: "x", type: "quantitative", title, scale, axis: { grid: false, ...labels(domain) } };
}

/** The vertical axis of a curve. */
export const upwards = (log: boolean, domain: readonly [number, number]) => ({
  field: "y",
  type: "quantitative",
  title: null,
  scale: log ? { type: "log", domain, nice: false } : { domain, nice: false, zero: false },
  axis: log ? logAxis(domain) : labels(domain),
});

/** A thin line where x is 0. */
export const lineAtZero = (x: object) => ({
  data: { values: [{ x: 0 }] },
  mark: { type: "rule", color: "#9ca3af", clip: true },
  encoding: { x },
});

/** Labels of a linear axis: with an exponent where numbers are tiny or huge. */
export function labels([low, high]: readonly [number, number]): { readonly labelExpr?: string } {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const exponent = "replace(replace(format(datum.value, '~e'), 'e+', 'e'), 'e-', 'e−')";
  return size < 1e-3 || size >= 1e6 ? { labelExpr: `datum.value === 0 ? '0' : ${exponent}` } : {};
}
