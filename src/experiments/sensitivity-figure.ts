import { stepCost } from "../report/cost.ts";
import { HEIGHT, INK, literal, type NamedFigure, onePanel, TEXT } from "../report/figures/figure.ts";
import { cellsOf, type Table } from "../report/table.ts";
import { type Summary, summarize } from "../util/statistics.ts";
import { groupBy } from "../util/group-by.ts";
import { settingOf } from "../sweep/names.ts";
import type { StudyRecord } from "./study/record.ts";
import { runOfRecord } from "./study/run-of-record.ts";

/** Whether a run is one of those that vary k and p: all others leave the solver as it is. */
export const variesEstimates = (record: StudyRecord): boolean =>
  settingOf(record.config, "method.name") === "eigen-sam" && settingOf(record.config, "method.solver") === "power";

interface Cell {
  readonly rho: number;
  readonly alpha: number;
  readonly accuracy: Summary;
}

/** Mean test accuracy of every ρ and α at a part of wrong labels. */
function cellsAt(records: readonly StudyRecord[], noise: number): Cell[] {
  const runs = records.flatMap((record) => {
    const accuracy = record.test?.accuracy;
    if (variesEstimates(record) || settingOf(record.config, "data.labelNoise") !== noise || accuracy === undefined)
      return [];
    const [rho, alpha] = ["method.rho", "method.alpha"].map((key) => Number(settingOf(record.config, key) ?? 0));
    return { rho: rho!, alpha: alpha!, accuracy: 100 * accuracy };
  });
  return [...groupBy(runs, ({ rho, alpha }) => `${rho} ${alpha}`).values()].map((alike) => ({
    ...{ rho: alike[0]!.rho, alpha: alike[0]!.alpha },
    accuracy: summarize(alike.map(({ accuracy }) => accuracy)),
  }));
}

/** The mean test accuracy of every ρ and α, as numbers on colours; undefined where there is no run. */
export function heatMap(records: readonly StudyRecord[], noise: number): NamedFigure | undefined {
  const cells = cellsAt(records, noise);
  if (cells.length === 0) return undefined;
  const what = noise === 0 ? "" : `, ${100 * noise} % of the training labels wrong`;
  const title = `Test accuracy by ρ and α${what}`;
  const means = cells.map(({ accuracy }) => accuracy.mean);
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const values = cells.map(({ rho, alpha, accuracy: { mean, ci95 } }) => ({
    rho,
    alpha: alpha === 0 ? "0 (SAM)" : String(alpha),
    mean,
    text: mean.toFixed(1),
    spread: ci95 === undefined ? "" : `± ${ci95.toFixed(1)}`,
    // Light text on the darker half.
    ink: mean - least > 0.55 * (most - least) ? "white" : INK,
  }));
  const axis = (field: string, name: string) => ({
    field,
    type: "ordinal",
    title: name,
    axis: { labelAngle: 0, titleAngle: 0, domain: false, ticks: false },
  });
  const at = { x: axis("rho", "ρ"), y: { ...axis("alpha", "α"), sort: "descending" } };
  const text = (field: string, dy: number) => ({
    mark: { type: "text", dy, fontSize: TEXT },
    encoding: { ...at, text: literal(field), color: literal("ink") },
  });
  const counts = cells.map(({ accuracy }) => accuracy.n);
  return {
    name: noise === 0 ? "rho-alpha" : `rho-alpha-noise-${100 * noise}`,
    title,
    spec: onePanel({
      height: HEIGHT,
      title: { text: "Test accuracy by ρ and α", subtitle: `%${what}` },
      data: { values },
      layer: [
        {
          mark: { type: "rect", stroke: "white", strokeWidth: 2 },
          encoding: {
            ...at,
            fill: {
              field: "mean",
              type: "quantitative",
              scale: { scheme: "blues", domain: [least - 0.3 * (most - least), most] },
              legend: null,
            },
          },
        },
        text("text", -8),
        text("spread", 9),
      ],
    }),
    caption: `Mean test accuracy over ${Math.min(...counts)} seeds and half of its 95 % confidence interval, after the last epoch${what}. The row α = 0 is SAM.`,
  };
}

/** A row per k and p: accuracy beside what the estimates cost. */
export function estimatesTable(records: readonly StudyRecord[]): Table {
  const kinds = groupBy(records.filter(variesEstimates), ({ arm }) => arm);
  const rows = [...kinds.values()].map((alike) => {
    const [k, p] = ["method.every", "method.iterations"].map((key) => Number(settingOf(alike[0]!.config, key)));
    const accuracy = summarize(
      alike.flatMap(({ test }) => (test?.accuracy === undefined ? [] : [100 * test.accuracy])),
    );
    const shares = alike.flatMap((record) => {
      const run = runOfRecord(record);
      const cost = run && stepCost(run);
      return cost ? [(100 * cost.refresh) / cost.total] : [];
    });
    const along = summarize(alike.map(({ stepsAlongV, steps }) => (100 * stepsAlongV) / steps));
    return { k: k!, p: p!, accuracy, along, share: summarize(shares) };
  });
  const shown = ({ n, mean, ci95 }: Summary, digits: number) =>
    n === 0 ? "–" : `${mean.toFixed(digits)}${ci95 === undefined ? "" : ` ± ${ci95.toFixed(digits)}`}`;
  return {
    name: "estimates",
    title: "How often and how well v̂ is estimated",
    head: ["k", "p", "runs", "test accuracy, %", "steps along v̂, %", "share of a step's time, %"],
    rows: rows.map(({ k, p, accuracy, along, share }) =>
      cellsOf([String(k), String(p), String(accuracy.n), shown(accuracy, 2), shown(along, 0), shown(share, 1)]),
    ),
    note: "Eigen-SAM with p power-iteration steps every k steps: means over seeds ± 95 % intervals.",
    csv: [
      ["k", "p", "runs", "accuracyMean", "accuracyCi95", "stepsAlongV", "shareOfTime"],
      ...rows.map(({ k, p, accuracy, along, share }) => [
        k,
        p,
        accuracy.n,
        accuracy.mean,
        accuracy.ci95 ?? "",
        along.mean,
        share.mean,
      ]),
    ],
  };
}
