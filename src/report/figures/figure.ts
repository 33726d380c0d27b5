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

/** Height of a plot without its axes, in pixels of the SVG. */
export const HEIGHT = 260;

/** Size of all text but titles, which are larger, in pixels of the SVG. */
export const TEXT = 13;

/** Width of a picture with one panel: in a column of 84 mm its text has 6.6 points, and it stays legible on a telephone. */
export const WIDTH = 470;

const PADDING = 14;

/** Width that a legend or a title may take. */
export const INNER = WIDTH - 2 * PADDING;

/** Verdana has nearly the same widths, where DejaVu Sans is not installed. */
const FONT = "DejaVu Sans, Verdana, sans-serif";

export const INK = "#1f2937";
const QUIET = "#4b5563";

export const config = {
  background: "white",
  font: FONT,
  padding: PADDING,
  view: { stroke: null },
  axis: {
    labelFontSize: TEXT,
    titleFontSize: TEXT,
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
  axisX: { labelSeparation: 8 },
  axisY: { domain: false, ticks: false },
  legend: {
    orient: "top",
    title: null,
    labelFontSize: TEXT,
    labelColor: INK,
    labelLimit: 0,
    symbolType: "stroke",
    symbolSize: 320,
    symbolStrokeWidth: 2.5,
    columnPadding: 18,
    offset: 8,
  },
  title: {
    anchor: "start",
    frame: "bounds",
    fontSize: 16,
    fontWeight: "bold",
    color: "#111827",
    subtitleFontSize: TEXT,
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

/** The same with one panel, whose plot takes what axes and labels leave of the picture's width. */
export const onePanel = (parts: object): TopLevelSpec =>
  specOf({ autosize: { type: "fit-x", contains: "padding" }, width: WIDTH, ...parts });
