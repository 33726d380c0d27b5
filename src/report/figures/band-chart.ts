import { band, type Curve, geometricBand, type Interval, intervalOf } from "../curves.ts";
import { type Axis, spansWide } from "./axis.ts";
import type { EndLabel } from "./end-labels.ts";
import { literal, TEXT } from "./figure.ts";

/** How a line is drawn. */
export interface LineStyle {
  readonly colour: string;
  readonly dash: readonly number[];
}

/** A line of means over seeds, with a band or with the seeds themselves. */
export interface Means {
  readonly points: readonly Interval[];
  /** One curve per seed where the seeds are too few for a band. */
  readonly seeds: readonly Curve[];
}

export interface Series extends LineStyle, Means {
  readonly label: string;
}

/** Up to so many seeds are drawn themselves: their interval is so wide that it hides everything. */
export const FEW_SEEDS = 3;

/** Means over the curves of each set, one curve per seed; geometric where values span far and `linear` does not forbid it. */
export function averaged(
  sets: readonly (readonly Curve[])[],
  linear = false,
): { readonly log: boolean; readonly means: readonly Means[] } {
  const log = !linear && spansWide(sets.flat(2).map(({ y }) => y));
  return { log, means: sets.map((curves) => meansOf(curves, log)) };
}

function meansOf(curves: readonly Curve[], log: boolean): Means {
  const points = log ? geometricBand(curves) : band(curves).map(intervalOf);
  const present = curves.filter((curve) => curve.length > 0);
  if (present.length < 2 || present.length > FEW_SEEDS) return { points, seeds: [] };
  const shared = new Set(points.map(({ x }) => x));
  return {
    points: points.map((point) => ({ ...point, low: point.y, high: point.y })),
    seeds: present.map((curve) => curve.filter(({ x }) => shared.has(x))),
  };
}

/** Every line of a chart, those of seeds too, for its axis. */
export const linesOf = (means: readonly Means[]): Interval[][] =>
  means.flatMap(({ points, seeds }) => [
    [...points],
    ...seeds.map((curve) => curve.map(({ x, y }) => ({ x, n: 1, y, low: y, high: y }))),
  ]);

/** Height of a label in pixels. */
const LABEL = TEXT;

/** Points are marked where there are few. */
const FEW = 30;

interface ChartOptions {
  /** Title of the horizontal axis. */
  readonly x: string;
  readonly percent?: boolean;
  /** Pixels that the legend may take. */
  readonly width: number;
  /** Labels beside the lines, in place of the legend. */
  readonly ends?: readonly EndLabel[] | undefined;
}

/** Data and layers of a chart: bands or thin lines of seeds, lines above them, dots where there are few points, and labels. */
export function bandChart(
  series: readonly Series[],
  { log, domain, ticks }: Axis,
  { x: along, percent, width, ends }: ChartOptions,
) {
  const labels = series.map(({ label }) => label);
  const byLabel = (range: readonly unknown[]) => ({
    field: "label",
    type: "nominal",
    sort: labels,
    scale: { domain: labels, range },
    legend: ends ? null : { columns: legendColumns(labels, width) },
  });
  // Fills carry their colour in the data: with a scale of their own they would take the legend of the lines away.
  const fill = literal("colour");
  const x = {
    field: "x",
    type: "quantitative",
    title: along,
    scale: { nice: false, zero: false, padding: 6 },
    axis: { grid: false, tickMinStep: 1, format: ",d" },
  };
  const y = {
    field: "y",
    type: "quantitative",
    title: null,
    scale: log ? { type: "log", domain, nice: false } : { type: "linear", domain, nice: false, zero: false },
    // A label at the end of the axis would push the title up, out of line with those of other panels.
    axis: {
      labelFlush: LABEL,
      ...(ticks ? { values: ticks, format: "~g" } : {}),
      ...(percent ? { format: ".3~p" } : {}),
    },
  };
  const area = {
    mark: { type: "area", strokeWidth: 0, opacity: 0.16, clip: true },
    encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, fill, detail: { field: "label" } },
  };
  const line = {
    mark: { type: "line", strokeWidth: 2, strokeJoin: "round", clip: true },
    encoding: {
      x,
      y,
      stroke: byLabel(series.map(({ colour }) => colour)),
      strokeDash: byLabel(series.map(({ dash }) => dash)),
    },
  };
  const dots = { mark: { type: "point", strokeWidth: 0, size: 26, opacity: 1, clip: true }, encoding: { x, y, fill } };
  const named = {
    data: { values: ends },
    mark: { type: "text", align: "left", baseline: "middle", dx: 9, fontSize: TEXT },
    encoding: { x, y, text: literal("label"), color: literal("colour") },
  };
  const thin = {
    data: {
      values: series.flatMap(({ label, colour, seeds }) =>
        seeds.flatMap((curve, seed) => curve.map((point) => ({ label, colour, seed, ...point }))),
      ),
    },
    // A trail is filled: strokes would take the legend of the lines.
    mark: { type: "trail", opacity: 0.4, clip: true },
    encoding: { x, y, size: { value: 1.2 }, fill, detail: [{ field: "label" }, { field: "seed" }] },
  };
  const banded = series.some(({ points }) => points.some(({ low, high }) => high > low));
  const few = Math.max(...series.map(({ points }) => points.length)) <= FEW;
  return {
    data: {
      values: series.flatMap(({ label, colour, points }) =>
        points.map(({ n, ...point }) => ({ label, colour, ...point })),
      ),
    },
    layer: [
      ...(banded ? [area] : []),
      ...(thin.data.values.length > 0 ? [thin] : []),
      line,
      ...(few ? [dots] : []),
      ...(ends ? [named] : []),
    ],
  };
}

/** As many labels side by side as fit the width. */
export function legendColumns(labels: readonly string[], width: number): number {
  const widest = 8 * Math.max(...labels.map((label) => label.length)) + 46;
  return Math.max(1, Math.min(labels.length, Math.floor(width / widest)));
}

/** Pixels that a legend above the plot takes. */
export const legendHeight = (labels: readonly string[], width: number): number =>
  20 * Math.ceil(labels.length / legendColumns(labels, width)) + 6;
