import type { TopLevelSpec } from "vega-lite";
import type { Group } from "../groups.ts";

export interface Drawn {
  readonly spec: TopLevelSpec;
  /** One sentence: what the figure shows, and what a band is. */
  readonly caption: string;
}

/** A kind of figure, drawn of any set of groups. */
export interface Figure {
  /** Name of its files. */
  readonly name: string;
  readonly title: string;
  /** Why it is missing where `draw` gives null. */
  lacks(groups: readonly Group[]): string;
  /** Null where the runs have too little data for it. */
  draw(groups: readonly Group[]): Drawn | null;
}

/** A figure with the name of its files. */
export interface NamedFigure extends Drawn {
  readonly name: string;
  readonly title: string;
}

/** Size of the plot itself, in pixels of the SVG. Small, so that text stays legible on a telephone. */
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

/** A field whose values are drawn as they are: colours, opacities or text. */
export const literal = (field: string) => ({ field, type: "nominal", scale: null, legend: null });

/** A Vega-Lite specification in the style of all figures. */
export const specOf = (parts: object): TopLevelSpec =>
  // Vega-Lite's type accepts no specification whose parts are built apart; its compiler checks what it is given.
  ({ $schema: "https://vega.github.io/schema/vega-lite/v6.json", config, ...parts }) as unknown as TopLevelSpec;
