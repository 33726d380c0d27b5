import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StudyResult } from "../run.ts";
import { ALL, type Interval, type SolverRow, summarizeStudy } from "../summary.ts";
import { writeAtomic } from "../../../util/files.ts";
import { documentHtml, figuresHtml } from "../../../report/html.ts";
import { pngOf, svgOf } from "../../../report/render.ts";
import { summarize } from "../../../util/statistics.ts";
import { ratioFigure, ratioOverTraining } from "./figures.ts";

export interface StudyReport {
  readonly html: string;
  readonly figures: readonly string[];
  readonly tables: readonly string[];
  readonly rows: readonly SolverRow[];
}

/** From here on `power` has made its first regular estimate; before, it lives on the one at step 0. */
const SETTLED = 100;

const intervalOf = (values: readonly number[]): Interval => {
  const { mean, ci95, n } = summarize(values);
  return { mean, half: ci95, n };
};

/** Figures, table and page of the study of solvers. */
export async function writeStudy(results: readonly StudyResult[], out: string): Promise<StudyReport> {
  const networks = [...new Set(results.map(({ network }) => network))];
  const rows = summarizeStudy(results, intervalOf, SETTLED);
  const drawn = {
    "rayleigh-ratio": ratioFigure(rows, networks),
    "rayleigh-ratio-over-training": ratioOverTraining(results, networks),
  };
  const folder = join(out, "figures");
  mkdirSync(folder, { recursive: true });
  const figures: string[] = [];
  const shown = [];
  for (const [name, { spec, caption }] of Object.entries(drawn)) {
    const svg = await svgOf(spec, name);
    writeAtomic(join(folder, `${name}.svg`), svg);
    writeAtomic(join(folder, `${name}.png`), pngOf(svg));
    figures.push(join(folder, `${name}.png`));
    shown.push({ title: name, caption, svg });
  }
  const markdown = join(out, "table.md");
  writeAtomic(markdown, tableMarkdown(rows));
  const json = join(out, "results.json");
  writeAtomic(json, `${JSON.stringify({ rows, results })}\n`);
  const html = join(out, "index.html");
  writeAtomic(html, documentHtml("Keeping up the top eigenvector", `${tableHtmlOf(rows)}\n${figuresHtml(shown, [])}`));
  return { html, figures, tables: [markdown, json], rows };
}

const HEAD = [
  "network",
  "solver",
  "ratio",
  "gain over power",
  `ratio from step ${SETTLED}`,
  "gain",
  "cos² with top 3",
  "gradients per 100 steps",
  "λ₁ at the last moment",
  "test accuracy",
  "gain",
];

const shown = ({ mean, half }: Interval, digits: number, sign = false): string =>
  `${sign && mean > 0 ? "+" : ""}${mean.toFixed(digits)}${half === undefined ? "" : ` ± ${half.toFixed(digits)}`}`;

const inPercent = ({ mean, half, n }: Interval): Interval => ({
  mean: 100 * mean,
  half: half === undefined ? undefined : 100 * half,
  n,
});

/** Cells of one solver: means over seeds with 95 % intervals. */
const cells = (row: SolverRow): string[] => {
  const gain = (interval: Interval, digits: number) => (row.solver === "power" ? "" : shown(interval, digits, true));
  return [
    row.network,
    row.solver,
    shown(row.ratio, 2),
    gain(row.gain, 2),
    shown(row.lateRatio, 2),
    gain(row.lateGain, 2),
    shown(row.subspace, 2),
    row.gradients.toFixed(1),
    row.network === ALL ? "" : shown(row.eigenvalue, 1),
    `${shown(inPercent(row.testAccuracy), 1)} %`,
    gain(inPercent(row.accuracyGain), 1),
  ];
};

const tableMarkdown = (rows: readonly SolverRow[]): string =>
  [HEAD, HEAD.map(() => "---"), ...rows.map(cells)]
    .map((line) => `| ${line.join(" | ")} |`)
    .join("\n")
    .concat("\n");

const tableHtmlOf = (rows: readonly SolverRow[]): string => {
  const line = (tag: string, values: readonly string[]) =>
    `<tr>${values.map((value) => `<${tag}>${value}</${tag}>`).join("")}</tr>`;
  return `<p class="quiet">Means over seeds with 95 % confidence intervals; gains are paired by seed. The ratio is vᵀH̄v/λ₁(H̄) when v is about to be used, mean over the moments of a run.</p>
<div class="scroll"><table><thead>${line("th", HEAD)}</thead><tbody>${rows.map((row) => line("td", cells(row))).join("\n")}</tbody></table></div>`;
};
