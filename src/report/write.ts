import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError } from "../util/errors.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";
import type { NamedFigure } from "./figures/figure.ts";
import { filesOf, type PageContent, pageHtml } from "./html.ts";
import { toCsv, toMarkdown } from "./table.ts";
import type { Report } from "./paths.ts";

/** The files beside the page, relative to it. */
const FILE = /^(figures|tables)\/[\w.-]+\.(svg|png|md|csv)$/;

/**
 * Writes a report to the folder `out`: report.html, figures/ and tables/. Everything is drawn before the first file is written, and every
 * file is written whole. Files of an earlier report in the same place that this one lacks are removed; other files are left alone.
 */
export async function writeReportFolder(out: string, content: PageContent<NamedFigure>): Promise<Report> {
  // Vega takes half a second to load, which programs that draw nothing are spared.
  const { pngOf, svgOf } = await import("./render.ts");
  const figures = [];
  for (const figure of content.figures) figures.push({ ...figure, svg: await svgOf(figure.spec, figure.name) });
  const files = new Map<string, string | Uint8Array>();
  for (const { name, svg } of figures) {
    files.set(`figures/${name}.svg`, svg);
    files.set(`figures/${name}.png`, pngOf(svg));
  }
  for (const table of [...content.tables, ...(content.details ?? [])]) {
    files.set(`tables/${table.name}.md`, toMarkdown(table));
    files.set(`tables/${table.name}.csv`, toCsv(table));
  }
  const names = [...files.keys()];
  const odd = names.find((name) => !FILE.test(name));
  if (odd !== undefined)
    throw new InputError(`${odd} is no name for a file of a report`, { odd }, "use letters, digits, - and _");

  const html = join(out, "report.html");
  makeFolder(out);
  const earlier = existsSync(html) ? filesOf(readFileSync(html, "utf8")) : [];
  for (const [name, data] of files) {
    const path = join(out, name);
    makeFolder(dirname(path));
    writeAtomic(path, data);
  }
  // A figure of an earlier report would pass for one of this report.
  for (const name of earlier) if (FILE.test(name) && !files.has(name)) rmSync(join(out, name), { force: true });
  writeAtomic(html, pageHtml({ ...content, figures }, names));
  const inside = (folder: string) => names.filter((name) => name.startsWith(folder)).map((name) => join(out, name));
  return { html, figures: inside("figures/"), tables: inside("tables/") };
}
