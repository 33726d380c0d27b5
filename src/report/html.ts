import { differingKeys, type Group } from "./groups.ts";
import type { Table } from "./tables.ts";

export interface PageFigure {
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

export interface PageParts {
  readonly title: string;
  readonly lead: string;
  readonly groups: readonly Group[];
  readonly tables: readonly Table[];
  readonly figures: readonly PageFigure[];
  /** Figures that could not be drawn, with the reason. */
  readonly missing: readonly string[];
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const STYLE = `
:root { color-scheme: light dark; --text: #1f2937; --quiet: #6b7280; --line: #e5e7eb; --page: #f8f9fb; --card: #fff; --mark: #fff4e5; }
@media (prefers-color-scheme: dark) { :root { --text: #e5e7eb; --quiet: #9ca3af; --line: #374151; --page: #111827; --card: #1f2937; --mark: #4a3413; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .8rem; }
p { margin: .4rem 0; max-width: 75ch; } .quiet { color: var(--quiet); font-size: .9rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .55rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border-bottom: 0; } th { color: var(--quiet); font-weight: 600; }
.settings td { text-align: left; font-family: ui-monospace, monospace; font-size: .82rem; white-space: normal; overflow-wrap: anywhere; }
.settings tr.differs td { background: var(--mark); }
.figures { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); }
figure { margin: 0; background: #fff; color: #1f2937; border: 1px solid var(--line); border-radius: 10px; padding: .5rem; }
figure svg { width: 100%; height: auto; display: block; } figcaption { padding: .3rem .7rem .7rem; font-size: .88rem; color: #4b5563; }
details summary { cursor: pointer; color: var(--quiet); margin-top: 1.5rem; }
`;

/** One page without scripts and without anything to load: it can be mailed. */
export function page({ title, lead, groups, tables, figures, missing }: PageParts): string {
  const body = [
    `<h1>${escaped(title)}</h1><p>${escaped(lead)}</p>`,
    ...tables.map(
      (table) => `<h2>${escaped(table.title)}</h2>${tableHtml(table)}<p class="quiet">${escaped(table.note)}</p>`,
    ),
    `<h2>Figures</h2><div class="figures">${figures.map(figureHtml).join("")}</div>`,
    ...(missing.length > 0 ? [`<p class="quiet">Not drawn: ${escaped(missing.join("; "))}.</p>`] : []),
    `<details><summary>Settings, machine and versions</summary>${settingsHtml(groups)}${machineHtml(groups)}</details>`,
  ].join("\n");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
${body}
</main></body></html>
`;
}

const row = (cells: readonly string[], tag = "td"): string =>
  cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("");

const tableHtml = ({ head, rows }: Table): string =>
  `<div class="scroll"><table><thead><tr>${row(head, "th")}</tr></thead><tbody>${rows.map((cells) => `<tr>${row(cells)}</tr>`).join("")}</tbody></table></div>`;

const figureHtml = ({ title, caption, svg }: PageFigure): string =>
  `<figure role="img" aria-label="${escaped(title)}">${svg}<figcaption>${escaped(caption)}</figcaption></figure>`;

function settingsHtml(groups: readonly Group[]): string {
  const differing = new Set(differingKeys(groups));
  const keys = [...new Set(groups.flatMap(({ settings }) => [...settings.keys()]))];
  const ordered = [...keys.filter((key) => differing.has(key)), ...keys.filter((key) => !differing.has(key))];
  const rows = ordered.map((key) => {
    const cells = row([key, ...groups.map(({ settings }) => settings.get(key) ?? "–")]);
    return `<tr${differing.has(key) ? ' class="differs"' : ""}>${cells}</tr>`;
  });
  const head = row(["setting", ...groups.map(({ label }) => label)], "th");
  return `<div class="scroll"><table class="settings"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function machineHtml(groups: readonly Group[]): string {
  const { device, threads, versions, data, model } = groups[0]!.runs[0]!.record;
  const text = [
    `${data.train} training, ${data.val} validation and ${data.test} test images of ${data.name}`,
    `${model.name} with ${model.parameters.toLocaleString("en-US")} parameters`,
    `${device}, ${threads} thread${threads === 1 ? "" : "s"} per run`,
    `eigensam ${versions.eigensam}, Node ${versions.node}, ONNX Runtime ${versions.onnxruntime}`,
  ].join(" · ");
  return `<p class="quiet">${escaped(text)}</p>`;
}
