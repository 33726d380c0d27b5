import { cellsOf, type Table } from "../report/table.ts";
import type { Measure } from "./measure.ts";
import { settingOf } from "./names.ts";
import { ranked, type TrialStatus } from "./status.ts";

/** The trials whose seeds are all done, the best first, and by what they are ranked. */
export function trialsTable(trials: readonly TrialStatus[], measure: Measure): Table {
  const best = ranked(trials, measure);
  const keys = [...new Set(best.flatMap(({ point }) => Object.keys(point)))];
  // What the settings of a trial do not read is no part of it: SGD has no radius.
  const valueAt = ({ point, runs }: TrialStatus, key: string): string | number => {
    const value = settingOf(runs[0]!.config, key) === undefined ? undefined : point[key];
    return typeof value === "number" ? Number(value.toPrecision(4)) : value === undefined ? "" : String(value);
  };
  const [factor, digits] = measure.about.endsWith("accuracy") ? [100, 2] : [1, 4];
  const text = ({ summary: { mean, ci95 } }: TrialStatus) =>
    `${(factor * mean).toFixed(digits)}${ci95 === undefined ? "" : ` ± ${(factor * ci95).toFixed(digits)}`}`;
  const chosen = measure.chooses
    ? "What is best here was chosen by it, so its own value is too good: train it again, with other seeds and all training examples, before you quote its test score."
    : "Trials that are ranked by test scores are chosen by them: the best one's score is too good.";
  return {
    name: "trials",
    title: "Trials",
    head: ["", ...keys, "seeds", factor === 100 ? `${measure.about}, %` : measure.about],
    rows: best.map((trial, i) =>
      cellsOf([String(i + 1), ...keys.map((key) => String(valueAt(trial, key))), String(trial.summary.n), text(trial)]),
    ),
    note: `Mean ${measure.about} over seeds ± its 95 % confidence interval. ${chosen}`,
    csv: [
      ["trial", ...keys, "seeds", "mean", "ci95"],
      ...best.map((trial) => [
        ...[trial.number, ...keys.map((key) => valueAt(trial, key))],
        ...[trial.summary.n, trial.summary.mean, trial.summary.ci95 ?? ""],
      ]),
    ],
  };
}
