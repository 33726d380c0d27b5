import { printable } from "./printable.ts";
import { STYLE } from "./style.ts";
import type { Cell, Table } from "./table.ts";

/** A fact at the head of a page: its name and value. */
export type Fact = readonly [name: string, value: string];

/** What a page shows of a figure. */
export interface PageFigure {
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

/** What a page shows, from top to bottom. */
export interface PageContent<F> {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly tables: readonly Table[];
  readonly figures: readonly F[];
  /** What is not shown, with the reason. */
  readonly missing: readonly string[];
  /** Long tables, folded away. */
  readonly details?: readonly Table[];
  /** HTML at the end. */
  readonly more?: string;
}

/** One page without scripts that loads nothing, so that it can be mailed. It lists the `files` that belong to it. */
export const pageHtml = (
  { title, facts, tables, figures, missing, details = [], more = "" }: PageContent<PageFigure>,
  files: readonly string[],
): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="${FILES}" content="${escaped(files.join(" "))}">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escaped(title)}</h1>
${factsHtml(facts)}
${tables.map((table) => `${heading(table.title)}\n${tableHtml(table)}`).join("\n")}
${figuresHtml(figures, missing)}
${details.map((table) => detailsHtml(table.title, tableHtml(table))).join("\n")}
${more}
</main></body></html>
`;

const FILES = "eigensam:files";

/** The files that a page lists as its own. */
export const filesOf = (page: string): string[] =>
  (new RegExp(`<meta name="${FILES}" content="([^"]*)"`).exec(page)?.[1] ?? "").split(" ");

export const escaped = (text: string): string =>
  printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export const heading = (text: string): string => `<h2>${escaped(text)}</h2>`;

export const detailsHtml = (summary: string, inner: string): string =>
  `<details><summary>${escaped(summary)}</summary>${inner}</details>`;

export const factsHtml = (facts: readonly Fact[]): string =>
  `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join("")}</dl>`;

export function tableHtml({ name, head, rows, note }: Table): string {
  const words = wordColumns(rows);
  const cell = ({ text, sub, bold }: Cell, i: number) => {
    const plain = sub === undefined ? escaped(text) : `${escaped(text)}<sub>${escaped(sub)}</sub>`;
    const inner = bold ? `<strong>${plain}</strong>` : plain;
    return i === 0 ? `<th scope="row">${inner}</th>` : `<td${words.has(i) ? WORDS : ""}>${inner}</td>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `${gridHtml(name, head, body, words)}<p class="quiet">${escaped(note)}</p>`;
}

const WORDS = ' class="words"';

/** Columns of text rather than of numbers, which stand to the left. */
const wordColumns = (rows: Table["rows"]): ReadonlySet<number> =>
  new Set(
    rows.length === 0
      ? []
      : [...rows[0]!.keys()].filter((i) => rows.every((row) => /^\p{L}/u.test(row[i]?.text ?? ""))),
  );

export const gridHtml = (
  name: string,
  head: readonly string[],
  body: string,
  words: ReadonlySet<number> = new Set(),
): string =>
  `<div class="scroll" tabindex="0"><table class="${name}"><thead><tr>${head.map((text, i) => `<th scope="col"${words.has(i) ? WORDS : ""}>${escaped(text)}</th>`).join("")}</tr></thead>
<tbody>${body}</tbody></table></div>`;

/** Figures, and below them what is not there. */
const figuresHtml = (figures: readonly PageFigure[], missing: readonly string[]): string =>
  `${heading("Figures")}
<div class="figures">
${figures.map(figureHtml).join("\n")}
</div>
${missing.length === 0 ? "" : `<h3>Not shown</h3><ul class="quiet">${missing.map((text) => `<li>${escaped(text)}</li>`).join("")}</ul>`}`;

const figureHtml = ({ title, caption, svg }: PageFigure): string =>
  `<figure aria-label="${escaped(title)}">${svg}<figcaption>${escaped(caption)}</figcaption></figure>`;
