import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { parse, resetSVGDefIds, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");

/** Pixels per unit of the drawing. */
const SCALE = 2;

/** The drawing as SVG; its identifiers begin with `name`, so that they are unique on a page. */
export async function svgOf(spec: TopLevelSpec, name: string): Promise<string> {
  // Vega numbers the clipping paths of a process; the same figure must give the same bytes.
  resetSVGDefIds();
  const svg = await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
  const prefix = name.replaceAll(".", "-");
  return svg.replace(/(id="|url\(#)([^")]+)/g, (_, before, id) => `${before}${prefix}-${id}`);
}

/** The same drawing as PNG, with bundled fonts, so that it looks the same everywhere. */
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
