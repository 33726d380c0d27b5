import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { textWidthIn } from "./text-width.ts";

const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");
const [REGULAR, BOLD] = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => join(fonts, file)) as [string, string];

const [regular, bold] = [textWidthIn(REGULAR), textWidthIn(BOLD)];

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

/** What Vega lays text out by, which its types lack. */
const { textMetrics } = vega as unknown as {
  textMetrics: { width: (item: TextItem, text: string | null | undefined) => number };
};

// Without a canvas, Vega takes text for a third wider than it is, and legends, margins and pictures with it.
textMetrics.width = ({ fontSize = 11, fontWeight }, text) =>
  fontSize * (fontWeight === "bold" ? bold : regular)(String(text ?? "").trim());

/** Pixels per unit of the drawing. */
const SCALE = 2;

/** The drawing as SVG; its identifiers begin with `name`, so that they are unique on a page. */
export async function svgOf(spec: TopLevelSpec, name: string): Promise<string> {
  // Vega numbers the clipping paths of a process; the same figure must give the same bytes.
  vega.resetSVGDefIds();
  const svg = await new vega.View(vega.parse(compile(spec).spec), { renderer: "none" }).toSVG();
  const prefix = name.replaceAll(".", "-");
  return svg.replace(/(id="|url\(#)([^")]+)/g, (_, before, id) => `${before}${prefix}-${id}`);
}

/** The same drawing as PNG, with bundled fonts, so that it looks the same everywhere. */
export const pngOf = (svg: string): Uint8Array =>
  new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { fontFiles: [REGULAR, BOLD], loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
  })
    .render()
    .asPng();
