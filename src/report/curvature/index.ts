import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, parse } from "node:path";
import type { CurvatureResult } from "../../curvature/result.ts";
import { writeAtomic } from "../../util/files.ts";
import { documentHtml, factsHtml, figuresHtml, type PageFigure, tableHtml } from "../html.ts";
import { pngOf, svgOf } from "../render.ts";
import { curvatureFigures, isFigureName } from "./figures.ts";
import { factsOf, layersTable, numbersTable } from "./tables.ts";

/** A figure that was written. */
export interface WrittenFigure {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  /** Paths. */
  readonly svg: string;
  readonly png: string;
}

/** Writes every figure of what was measured to figures/ in `outDir` as SVG and PNG, and beside that folder index.html with all numbers and figures. */
export async function writeCurvatureFigures(result: CurvatureResult, outDir: string): Promise<WrittenFigure[]> {
  const folder = join(outDir, "figures");
  mkdirSync(folder, { recursive: true });
  const { figures, missing } = curvatureFigures(result);
  const written: WrittenFigure[] = [];
  const shown: PageFigure[] = [];
  for (const { name, title, caption, spec } of figures) {
    const svg = await svgOf(spec, name);
    const paths = { svg: join(folder, `${name}.svg`), png: join(folder, `${name}.png`) };
    writeAtomic(paths.svg, svg);
    writeAtomic(paths.png, pngOf(svg));
    written.push({ name, title, caption, ...paths });
    shown.push({ title, caption, svg });
  }
  removeOthers(folder, new Set(figures.map(({ name }) => name)));
  writeAtomic(join(outDir, "index.html"), page(result, shown, missing));
  return written;
}

/** Figures of an earlier result in the same place would pass for some of this one. */
function removeOthers(folder: string, names: ReadonlySet<string>): void {
  for (const file of readdirSync(folder)) {
    const { name, ext } = parse(file);
    if ([".svg", ".png"].includes(ext) && isFigureName(name) && !names.has(name)) rmSync(join(folder, file));
  }
}

/** One page without scripts and without anything to load. */
function page(result: CurvatureResult, figures: readonly PageFigure[], missing: readonly string[]): string {
  const { layers = [] } = result;
  const byLayer =
    layers.length === 0
      ? ""
      : `<details><summary>${layers.length} layers</summary>${tableHtml(layersTable(layers))}</details>`;
  return documentHtml(
    `Curvature of ${result.model} on ${result.data}`,
    `${factsHtml(factsOf(result))}
<h2>Numbers</h2>
${tableHtml(numbersTable(result))}
${byLayer}
${figuresHtml(
  figures,
  missing.map((title) => `${title}: not measured`),
)}`,
  );
}
