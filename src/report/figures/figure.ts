import type { TopLevelSpec } from "vega-lite";
import type { Group } from "../groups.ts";
import type { BandPoint } from "../statistics.ts";
import { stylesOf } from "../palette.ts";

export interface Drawn {
  readonly spec: TopLevelSpec;
  /** One sentence: what is to be seen, and what a band is. */
  readonly caption: string;
}

/** A figure of a set of groups; null where the runs have no data for it. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** Why it may be missing. */
  readonly needs: string;
  draw(groups: readonly Group[]): Drawn | null;
}

export const WIDTH = 560;
export const HEIGHT = 300;

const FONT = "DejaVu Sans";

export const config = {
  background: "white",
  font: FONT,
  padding: 14,
  view: { stroke: null },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelColor: "#4b5563",
    titleColor: "#374151",
    gridColor: "#eceef1",
    domainColor: "#9ca3af",
    tickColor: "#9ca3af",
    titlePadding: 8,
    tickCount: 6,
  },
  legend: {
    labelFontSize: 12,
    labelColor: "#1f2937",
    symbolStrokeWidth: 3,
    symbolType: "stroke",
    symbolSize: 250,
    orient: "top",
    title: null,
    offset: 6,
  },
  title: { fontSize: 14, fontWeight: "bold", color: "#111827", anchor: "start", offset: 10 },
} as const;

export interface LineSeries {
  readonly label: string;
  readonly points: readonly BandPoint[];
}

interface LineOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly log?: boolean;
  readonly zero?: boolean;
  readonly format?: string;
  /** Mark each point, where there are few. */
  readonly points?: boolean;
  /** Values that the quantity can take; bands end there. */
  readonly within?: readonly [number, number];
}

/**
 * Lines of means, one per group, with a band of ±95 % where there are several seeds. On a logarithmic scale the points
 * come from `logBand`: geometric means, and the band is a factor.
 */
export function lines(groups: readonly Group[], series: readonly LineSeries[], options: LineOptions): TopLevelSpec {
  const styles = stylesOf(groups);
  const labels = series.map(({ label }) => label);
  const [least, most] = options.within ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const values = series.flatMap(({ label, points }) =>
    points.map(({ x, mean, ci95 = 0 }) => {
      const [low, high] = options.log ? [mean / Math.exp(ci95), mean * Math.exp(ci95)] : [mean - ci95, mean + ci95];
      return { label, x, y: mean, low: Math.max(least, low), high: Math.min(most, high) };
    }),
  );
  const banded = series.some(({ points }) => points.some(({ ci95 }) => ci95 !== undefined));
  const color = {
    field: "label",
    type: "nominal",
    sort: labels,
    scale: { domain: labels, range: labels.map((label) => styles.get(label)!.colour) },
  };
  const dash = {
    field: "label",
    type: "nominal",
    sort: labels,
    scale: { domain: labels, range: labels.map((label) => styles.get(label)!.dash) },
  };
  const x = {
    field: "x",
    type: "quantitative",
    title: options.x,
    scale: { nice: false, zero: false },
    axis: { grid: false, tickMinStep: 1, format: "d" },
  };
  const scale = options.log ? { type: "log", nice: false } : { zero: options.zero ?? false };
  const axis = options.format ? { format: options.format } : {};
  const y = (field: string) => ({ field, type: "quantitative", title: options.y, scale, axis });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: WIDTH,
    height: HEIGHT,
    config,
    title: options.title,
    data: { values },
    layer: [
      // A layer each, with a fixed colour: bands take no part in the legend.
      ...labels
        .filter(() => banded)
        .map((label) => ({
          transform: [{ filter: { field: "label", equal: label } }],
          mark: { type: "area", opacity: 0.18, color: styles.get(label)!.colour },
          encoding: { x, y: y("low"), y2: { field: "high" } },
        })),
      {
        mark: {
          type: "line",
          strokeWidth: 2,
          ...(options.points ? { point: { size: 28, filled: false, fill: "white" } } : {}),
        },
        encoding: { x, y: y("y"), stroke: color, strokeDash: dash },
      },
    ],
  } as unknown as TopLevelSpec;
}

/** What a band is, said in a caption. */
export function bandNote(groups: readonly Group[], geometric = false): string {
  const counts = groups.map(({ runs }) => runs.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return "One run each, so there is no band.";
  const seeds = least === most ? `${most} seeds` : `${least} to ${most} seeds`;
  return `Lines are ${geometric ? "geometric " : ""}means over ${seeds}, bands 95 % confidence intervals of the mean.`;
}
