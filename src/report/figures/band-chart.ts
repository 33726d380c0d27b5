import { band, type Curve, geometricBand, type Interval, intervalOf } from "../curves.ts";
import { type Axis, spansWide } from "./axis.ts";
import { literal } from "./figure.ts";

/** How a line is drawn. */
export interface LineStyle {
  readonly colour: string;
  readonly dash: readonly number[];
}

/** A line of means with a band over its seeds. */
export interface Series extends LineStyle {
  readonly label: string;
  readonly points: readonly Interval[];
}

/** Means over the curves of each set, one curve per seed; geometric where values span far and `linear` does not forbid it. */
export function averaged(
  sets: readonly (readonly Curve[])[],
  linear = false,
): { readonly log: boolean; readonly points: readonly (readonly Interval[])[] } {
  const log = !linear && spansWide(sets.flat(2).map(({ y }) => y));
  return { log, points: sets.map((curves) => (log ? geometricBand(curves) : band(curves).map(intervalOf))) };
}

/** Points are marked where there are few. */
const FEW = 30;

interface ChartOptions {
  /** Title of the horizontal axis. */
  readonly x: string;
  readonly percent?: boolean;
  /** Pixels that the legend may take. */
  readonly width: number;
}

/** Data and layers of a chart: bands, lines above them, and dots where there are few points. */
export function bandChart(
  series: readonly Series[],
  { log, domain, ticks }: Axis,
  { x: along, percent, width }: ChartOptions,
) {
  const labels = series.map(({ label }) => label);
  const byLabel = (range: readonly unknown[]) => ({
    field: "label",
    type: "nominal",
    sort: labels,
    scale: { domain: labels, range },
    legend: { columns: legendColumns(labels, width) },
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
    axis: { ...(ticks ? { values: ticks, format: "~g" } : {}), ...(percent ? { format: ".3~p" } : {}) },
  };
  const area = {
    mark: { type: "area", strokeWidth: 0, opacity: 0.16, clip: true },
    encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, fill, detail: { field: "label" } },
  };
  const line = {
    mark: { type: "line", strokeWidth: 2, strokeJoin: "round" },
    encoding: {
      x,
      y,
      stroke: byLabel(series.map(({ colour }) => colour)),
      strokeDash: byLabel(series.map(({ dash }) => dash)),
    },
  };
  const dots = { mark: { type: "point", strokeWidth: 0, size: 26, opacity: 1 }, encoding: { x, y, fill } };
  const banded = series.some(({ points }) => points.some(({ n }) => n > 1));
  const few = Math.max(...series.map(({ points }) => points.length)) <= FEW;
  return {
    data: {
      values: series.flatMap(({ label, colour, points }) =>
        points.map(({ n, ...point }) => ({ label, colour, ...point })),
      ),
    },
    layer: [...(banded ? [area] : []), line, ...(few ? [dots] : [])],
  };
}

/** As many labels side by side as fit the width. */
function legendColumns(labels: readonly string[], width: number): number {
  const widest = 7.5 * Math.max(...labels.map((label) => label.length)) + 46;
  return Math.max(1, Math.min(labels.length, Math.floor(width / widest)));
}
