import { type MeanColumn, meanHeads, meanNumbers, meanText } from "../../report/mean-columns.ts";
import { type Cell, cellsOf, type Table } from "../../report/table.ts";
import type { PairedDifference } from "../../util/statistics.ts";
import { directionOf, type TestResult } from "./analysis.ts";
import type { ArmRow } from "./decision.ts";

const signed = (x: number): string => `${x > 0 ? "+" : ""}${x.toFixed(3)}`;

const difference = (found: PairedDifference | undefined): string =>
  found === undefined ? "–" : `${signed(found.mean)} ± ${found.ci95!.toFixed(3)}`;

const endpoints = { sharpness: "log λ₁ at matched loss", quality: "v̂ᵀH̄v̂/λ₁" } as const;

/** A row per registered test, in the order of its family. */
export function testsTable(tests: readonly TestResult[]): Table {
  const cells = (test: TestResult): Cell[] => [
    ...cellsOf([test.family, test.network, `${test.minuend} − ${test.subtrahend}`, endpoints[test.endpoint]]),
    { text: difference(test.difference), bold: directionOf(test) !== 0 },
    ...cellsOf([
      String(test.difference?.n ?? 0),
      test.difference === undefined ? "–" : test.difference.p.toFixed(4),
      test.difference === undefined ? "–" : test.corrected.toFixed(4),
      excludedOf(test),
      test.sensitivity === undefined ? "" : difference(test.sensitivity),
    ]),
  ];
  return {
    name: "tests",
    title: "Registered tests",
    head: ["family", "network", "difference", "of", "mean", "pairs", "p", "p (Holm)", "left out", "with plateaus"],
    rows: tests.map(cells),
    note: "Mean difference between runs of one seed ± its 95 % interval by Student's t; p of the paired t-test, and corrected by Holm for its family. A difference of −0.10 in log λ₁ is 9.5 % less. Bold is below 0.05 with at least six pairs.",
    csv: [
      ["family", "network", "minuend", "subtrahend", "endpoint", "pairs", "mean", "ci95", "p", "pHolm"],
      ...tests.map(({ family, network, minuend, subtrahend, endpoint, difference: found, corrected }) => [
        ...[family, network, minuend, subtrahend, endpoint],
        found?.n ?? 0,
        ...(found === undefined ? ["", "", "", ""] : [found.mean, found.ci95!, found.p, corrected]),
      ]),
    ],
  };
}

const excludedOf = ({ excluded }: TestResult): string =>
  Object.entries(excluded)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => `${count} ${why}`)
    .join(", ");

const columns: readonly MeanColumn<ArmRow>[] = [
  { head: "v̂ᵀH̄v̂/λ₁", key: "quality", value: ({ quality }) => quality, digits: 2 },
  { head: "cost of estimates", key: "cost", value: ({ cost }) => cost, digits: 1, percent: true },
  { head: "in time", key: "time", value: ({ time }) => time, digits: 1, percent: true },
  { head: "steps along v̂", key: "alongV", value: ({ alongV }) => alongV, digits: 0, percent: true },
  { head: "λ₁ at the end", key: "eigenvalue", value: ({ eigenvalue }) => eigenvalue, digits: 2 },
  { head: "loss at the end", key: "loss", value: ({ loss }) => loss, digits: 3 },
  { head: "test accuracy", key: "testAccuracy", value: (row) => row.testAccuracy, digits: 1, percent: true },
];

/** A row per network and arm. */
export const armsTable = (rows: readonly ArmRow[]): Table => ({
  name: "arms",
  title: "Arms",
  head: ["network", "arm", "runs", ...columns.map(({ head }) => head)],
  rows: rows.map((row) =>
    cellsOf([row.network, row.arm, String(row.runs), ...columns.map((column) => meanText(column, row))]),
  ),
  note: "Means over seeds ± 95 % intervals. Quality is over the looks after the first epoch but the end. Cost is gradients of estimates over gradients of steps; time depends on what else the machine did. Nothing is claimed of accuracy beyond its interval.",
  csv: [
    ["network", "arm", "runs", ...meanHeads(columns)],
    ...rows.map((row) => [row.network, row.arm, row.runs, ...meanNumbers(columns, row)]),
  ],
});
