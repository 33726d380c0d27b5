import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { parse, resetSVGDefIds, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");

/** Pixels per unit of the drawing. */
const SCALE = 2;

/** The drawing as SVG; `name` sets its identifiers apart from those of other drawings on a page. */
export async function svgOf(spec: TopLevelSpec, name: string): Promise<string> {
  // Vega numbers clipping paths through over the life of a process; the same figure is to be the same bytes.
  resetSVGDefIds();
  const svg = await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
  return svg.replace(/(id="|url\(#)([^")]+)/g, (_, before, id) => `${before}${name}-${id}`);
}

/** The same drawing as pixels, with fonts of our own, so that it looks alike everywhere. */
export const pngOf = (svg: string): Uint8Array =>
  new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: {
      fontFiles: ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => join(fonts, file)),
      loadSystemFonts: false,
      defaultFontFamily: "DejaVu Sans",
    },
  })
    .render()
    .asPng();
