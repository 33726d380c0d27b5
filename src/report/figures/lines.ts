import type { TopLevelSpec } from "vega-lite";
import { band, type Curve, geometricBand, type Interval, intervalOf } from "../curves.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import type { Run } from "../read-run.ts";
import { type AxisOptions, axisOf, spansWide } from "./axis.ts";
import { bandNote } from "./band-note.ts";
import { config, type Drawn, HEIGHT, SCHEMA, WIDTH } from "./figure.ts";

export interface LinesOptions extends AxisOptions {
  readonly title: string;
  /** What the vertical axis shows. */
  readonly y: string;
  readonly x: "epoch" | "step";
  readonly percent?: boolean;
  /** Never logarithmic, however far the values span. */
  readonly linear?: boolean;
  /** What the reader sees: the first half of the caption. */
  readonly shows: string;
}

interface Series {
  readonly label: string;
  readonly points: readonly Interval[];
}

/** Points are marked where there are few. */
const FEW = 30;

/** A line of means per group with a band over its seeds; null where no group has a point. */
export function lines(groups: readonly Group[], curveOf: (run: Run) => Curve, options: LinesOptions): Drawn | null {
  const curves = groups.map(({ label, runs }) => ({ label, curves: runs.map(curveOf) }));
  const log = !options.linear && spansWide(curves.flatMap((c) => c.curves.flat()).map(({ y }) => y));
  const series = curves
    .map((group) => ({
      label: group.label,
      points: log ? geometricBand(group.curves) : band(group.curves).map(intervalOf),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return null;
  const points = series.flatMap((s) => s.points);
  const axis = axisOf(points, log, options);
  const styles = stylesOf(groups);
  const subtitle = log ? `${options.y}, logarithmic` : options.y;
  const spec = {
    $schema: SCHEMA,
    width: WIDTH,
    height: HEIGHT,
    config,
    title: { text: options.title, subtitle },
    data: {
      values: series.flatMap(({ label, points: own }) =>
        own.map(({ n, ...point }) => ({ label, colour: styles.get(label)!.colour, ...point })),
      ),
    },
    layer: layers(styles, series, axis, options),
  } as unknown as TopLevelSpec;
  const cut = axis.cut ? " (cut off where they would flatten the lines)" : "";
  return { spec, caption: `${options.shows}; ${bandNote(points, log)}${cut}.` };
}

function layers(
  styles: ReturnType<typeof stylesOf>,
  series: readonly Series[],
  { log, domain, ticks }: ReturnType<typeof axisOf>,
  { x: along, percent }: LinesOptions,
): object[] {
  const labels = series.map(({ label }) => label);
  const byLabel = (range: readonly unknown[]) => ({
    field: "label",
    type: "nominal",
    sort: labels,
    scale: { domain: labels, range },
    legend: { columns: legendColumns(labels) },
  });
  const color = byLabel(labels.map((label) => styles.get(label)!.colour));
  // Fills carry their colour in the data: with a scale of their own they would take the legend of the lines away.
  const fill = { field: "colour", type: "nominal", scale: null, legend: null };
  const detail = { field: "label" };
  const strokeDash = byLabel(labels.map((label) => styles.get(label)!.dash));
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
  const few = Math.max(...series.map(({ points }) => points.length)) <= FEW;
  const banded = series.some(({ points }) => points.some(({ n }) => n > 1));
  const area = {
    mark: { type: "area", strokeWidth: 0, opacity: 0.16, clip: true },
    encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, fill, detail },
  };
  const line = {
    mark: { type: "line", strokeWidth: 2, strokeJoin: "round" },
    encoding: { x, y, stroke: color, strokeDash },
  };
  const dots = {
    mark: { type: "point", strokeWidth: 0, size: 26, opacity: 1 },
    encoding: { x, y, fill },
  };
  return [...(banded ? [area] : []), line, ...(few ? [dots] : [])];
}

/** As many labels side by side as fit the width of the plot. */
function legendColumns(labels: readonly string[]): number {
  const widest = 7.5 * Math.max(...labels.map((label) => label.length)) + 46;
  return Math.max(1, Math.min(labels.length, Math.floor(WIDTH / widest)));
}
