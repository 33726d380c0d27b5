import type { TopLevelSpec } from "vega-lite";
import type { Group } from "../groups.ts";

export interface Drawn {
  readonly spec: TopLevelSpec;
  /** One sentence: what is to be seen, and what a band is. */
  readonly caption: string;
}

/** A figure of a set of groups; null where the runs have no data for it. */
export interface Figure {
  /** Name of its files. */
  readonly name: string;
  readonly title: string;
  /** What the runs lack where it is missing. */
  readonly needs: string;
  draw(groups: readonly Group[]): Drawn | null;
}

export const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/** Of the plot itself, in units that are pixels of the SVG. Small, so that text stays legible on a telephone. */
export const WIDTH = 460;
export const HEIGHT = 270;

/** Verdana has nearly the same widths, where DejaVu Sans is not installed. */
const FONT = "DejaVu Sans, Verdana, sans-serif";

export const INK = "#1f2937";
const QUIET = "#4b5563";

export const config = {
  background: "white",
  font: FONT,
  padding: 16,
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelColor: QUIET,
    titleColor: QUIET,
    titlePadding: 8,
    gridColor: "#e8eaed",
    domainColor: "#9ca3af",
    tickColor: "#9ca3af",
    tickSize: 4,
    labelPadding: 5,
    tickCount: 5,
  },
  axisY: { domain: false, ticks: false },
  legend: {
    orient: "top",
    title: null,
    labelFontSize: 12,
    labelColor: INK,
    labelLimit: WIDTH - 40,
    symbolType: "stroke",
    symbolSize: 320,
    symbolStrokeWidth: 2.5,
    columnPadding: 18,
    offset: 8,
  },
  title: {
    anchor: "start",
    frame: "bounds",
    fontSize: 15,
    fontWeight: "bold",
    color: "#111827",
    subtitleFontSize: 12,
    subtitleColor: QUIET,
    subtitlePadding: 5,
    offset: 12,
  },
} as const;
