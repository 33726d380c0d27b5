import { LEVEL } from "../../report/pairs.ts";
import { cellsOf, type Table } from "../../report/table.ts";
import { matchedSharpness } from "../eigen-sam/matched-loss.ts";
import { pairedArms, pairedCsv, pairsIn } from "./paired-arms.ts";
import type { StudyRecord } from "./record.ts";

/**
 * λ₁ of every two arms where their losses on the probe's images are equal, paired by seed: a network that has learnt less is
 * flatter for that alone. Pairs of a seed have none where a run begins below the loss that both reach.
 */
export function matchedTable(records: readonly StudyRecord[], arms: readonly string[]): Table {
  const rows = pairedArms(records, arms, (record, other) => {
    const matched = matchedSharpness(record.probes, other.probes);
    return matched && matched.logs[0] - matched.logs[1];
  });
  const percent = (log: number) => `${log > 0 ? "+" : "−"}${Math.abs(100 * Math.expm1(log)).toFixed(1)} %`;
  const interval = ({ mean, ci95 = 0 }: { readonly mean: number; readonly ci95: number | undefined }) =>
    `${percent(mean - ci95)} to ${percent(mean + ci95)}`;
  return {
    name: "matched",
    title: "λ₁ at equal loss",
    head: ["difference", "pairs", "λ₁", "95 % interval", "p (Holm)"],
    rows: rows.map((row) => {
      const { minuend, subtrahend, difference, p } = row;
      return [
        ...cellsOf([`${minuend} − ${subtrahend}`, pairsIn(row)]),
        { text: difference === undefined ? "–" : percent(difference.mean), bold: p !== undefined && p < LEVEL },
        ...cellsOf([difference === undefined ? "–" : interval(difference), p === undefined ? "–" : p.toFixed(3)]),
      ];
    }),
    note: "How much larger λ₁ is, where both runs of a seed have come down to the lowest loss that both reach on the probe's images; geometric means, intervals and p-values of log λ₁ by the paired t-test, corrected by Holm for all rows. Bold is below 0.05.",
    csv: pairedCsv(rows, ["logRatioMean", "logRatioCi95"]),
  };
}
