import { differingKeys, type Group, settingKeys } from "./groups.ts";
import { STYLE } from "./style.ts";
import type { Fact } from "./summary.ts";
import type { Cell, Table } from "./tables.ts";

export interface PageFigure {
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

export interface Page {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly results: Table;
  readonly figures: readonly PageFigure[];
  /** Figures, runs and parts of runs that are not here, with the reason. */
  readonly missing: readonly string[];
  readonly runs: Table;
  readonly groups: readonly Group[];
  readonly machine: readonly Fact[];
}

/** One page without scripts and without anything to load: it can be mailed. */
export const pageHtml = ({ title, facts, results, figures, missing, runs, groups, machine }: Page): string =>
  documentHtml(
    title,
    `${factsHtml(facts)}
<h2>${escaped(results.title)}</h2>
${tableHtml(results)}
${figuresHtml(figures, missing)}
<h2>Settings</h2>
${settingsHtml(groups)}
<details><summary>Every run</summary>${tableHtml(runs)}</details>
<h2>Machine and versions</h2>
${factsHtml(machine)}`,
  );

/** A whole page of this style, below its heading. */
export const documentHtml = (title: string, body: string): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escaped(title)}</h1>
${body}
</main></body></html>
`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export const factsHtml = (facts: readonly Fact[]): string =>
  `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join("")}</dl>`;

export function tableHtml({ name, head, rows, note }: Omit<Table, "title" | "csv">): string {
  const cell = ({ text, sub, bold }: Cell, i: number) => {
    const plain = sub === undefined ? escaped(text) : `${escaped(text)}<sub>${escaped(sub)}</sub>`;
    const inner = bold ? `<strong>${plain}</strong>` : plain;
    return i === 0 ? `<th scope="row">${inner}</th>` : `<td>${inner}</td>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `${gridHtml(name, head, body)}<p class="quiet">${escaped(note)}</p>`;
}

const gridHtml = (name: string, head: readonly string[], body: string): string =>
  `<div class="scroll" tabindex="0"><table class="${name}"><thead><tr>${head.map((text) => `<th scope="col">${escaped(text)}</th>`).join("")}</tr></thead>
<tbody>${body}</tbody></table></div>`;

/** Figures, and below them what is not there. */
export const figuresHtml = (figures: readonly PageFigure[], missing: readonly string[]): string =>
  `<h2>Figures</h2>
<div class="figures">
${figures.map(figureHtml).join("\n")}
</div>
${missingHtml(missing)}`;

const figureHtml = ({ title, caption, svg }: PageFigure): string =>
  `<figure aria-label="${escaped(title)}">${svg}<figcaption>${escaped(caption)}</figcaption></figure>`;

const missingHtml = (missing: readonly string[]): string =>
  missing.length === 0
    ? ""
    : `<h3>Not shown</h3><ul class="quiet">${missing.map((text) => `<li>${escaped(text)}</li>`).join("")}</ul>`;

/** What differs comes first and is marked; what all groups share needs one column, and is folded away. */
function settingsHtml(groups: readonly Group[]): string {
  const differing = differingKeys(groups);
  const shared = settingKeys(groups).filter((key) => !differing.includes(key));
  const row = (key: string, values: readonly string[], mark = "") =>
    `<tr${mark}><th scope="row">${escaped(key)}</th>${values.map((value) => `<td>${escaped(value)}</td>`).join("")}</tr>`;
  const valuesOf = (key: string) => groups.map(({ settings }) => settings.get(key) ?? "–");
  const head = ["setting", ...groups.map(({ label }) => label)];
  const marked = differing.map((key) => row(key, valuesOf(key), ' class="differs"')).join("\n");
  const rest = shared.map((key) => row(key, valuesOf(key).slice(0, 1))).join("\n");
  const sharedGrid = gridHtml("settings", ["setting", "all groups"], rest);
  if (differing.length === 0) return sharedGrid;
  return `${gridHtml("settings", head, marked)}<details><summary>${shared.length} settings that all groups share</summary>${sharedGrid}</details>`;
}
