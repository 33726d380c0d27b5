import { distinct } from "../../../report/summary.ts";
import { type MeanColumn, meanHeads, meanNumbers, meanText } from "../../../report/mean-columns.ts";
import { cellsOf, type Table } from "../../../report/table.ts";
import { writeReportFolder } from "../../../report/write.ts";
import type { Report } from "../../../report/paths.ts";
import type { StudyResult } from "../result.ts";
import { ratioFigure, ratioOverTraining } from "./figures.ts";
import { ALL, type SolverRow, summarizeStudy } from "./summary.ts";

export interface StudyReport extends Report {
  readonly rows: readonly SolverRow[];
}

/** From here on `power` has made its first regular estimate; before, it lives on the one at step 0. */
const SETTLED = 100;

/** Writes the report of the study of solvers to the folder `out`. */
export async function writeStudy(
  results: readonly StudyResult[],
  out: string,
  missing: readonly string[] = [],
): Promise<StudyReport> {
  const networks = [...new Set(results.map(({ network }) => network))];
  const rows = summarizeStudy(results, SETTLED);
  const report = await writeReportFolder(out, {
    title: "Solvers for the top eigenvector",
    facts: [
      ["networks", networks.join(", ")],
      ["steps", distinct(results.map(({ steps }) => steps))],
      ["seeds", distinct(results.map(({ seed }) => seed))],
      ["runs", String(results.length)],
    ],
    tables: [solversTable(rows)],
    figures: [
      { name: "rayleigh-ratio", title: "Quality of v", ...ratioFigure(rows, networks) },
      {
        name: "rayleigh-ratio-over-training",
        title: "Quality of v over training",
        ...ratioOverTraining(results, networks),
      },
    ],
    missing,
  });
  return { ...report, rows };
}

/** Gains are differences to `power`. */
const columns: readonly MeanColumn<SolverRow>[] = [
  { head: "ratio", key: "ratio", value: ({ ratio }) => ratio, digits: 2 },
  { head: "gain over power", key: "gain", value: ({ gain }) => gain, digits: 2, gain: true },
  { head: `ratio from step ${SETTLED}`, key: "lateRatio", value: ({ lateRatio }) => lateRatio, digits: 2 },
  { head: "gain", key: "lateGain", value: ({ lateGain }) => lateGain, digits: 2, gain: true },
  { head: "cos² with top 3", key: "subspace", value: ({ subspace }) => subspace, digits: 2 },
  { head: "gradients per 100 steps", key: "gradients", value: ({ gradients }) => gradients, digits: 1 },
  { head: "λ₁ at the last moment", key: "eigenvalue", value: ({ eigenvalue }) => eigenvalue, digits: 1 },
  { head: "test accuracy", key: "testAccuracy", value: (row) => row.testAccuracy, digits: 1, percent: true },
  { head: "gain", key: "accuracyGain", value: (row) => row.accuracyGain, digits: 1, gain: true, percent: true },
];

/** One row per network and solver. */
const solversTable = (rows: readonly SolverRow[]): Table => ({
  name: "solvers",
  title: "Solvers",
  head: ["network", "solver", ...columns.map(({ head }) => head)],
  rows: rows.map((row) => cellsOf([row.network, row.solver, ...columns.map((column) => shown(column, row))])),
  note: `${Math.max(...rows.map(({ ratio }) => ratio.n)) > 1 ? "Means over seeds with 95 % confidence intervals; gains" : "One seed, so there are no intervals; gains"} are paired by seed. The ratio is vᵀH̄v/λ₁(H̄) when v is about to be used, mean over the moments of a run; a dash where no moment is so late.`,
  csv: [
    ["network", "solver", ...meanHeads(columns), "seeds"],
    ...rows.map((row) => [row.network, row.solver, ...meanNumbers(columns, row), row.ratio.n]),
  ],
});

/** `power` gains nothing over itself, and eigenvalues of different networks have no mean. */
const shown = (column: MeanColumn<SolverRow>, row: SolverRow): string =>
  (column.gain && row.solver === "power") || (column.key === "eigenvalue" && row.network === ALL)
    ? ""
    : meanText(column, row);
