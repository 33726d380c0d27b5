import { LEVEL } from "../../report/pairs.ts";
import { cellsOf, type Table } from "../../report/table.ts";
import { summarize } from "../../util/statistics.ts";
import { pairedArms, pairedCsv, pairsIn } from "./paired-arms.ts";
import type { StudyRecord } from "./record.ts";

/** The mean of |cos(ε, v₁)| over the looks of a run's probe. */
const meanAlignment = ({ probes }: StudyRecord): number | undefined => {
  const looks = probes.flatMap(({ cosEps }) => cosEps ?? []);
  return looks.length === 0 ? undefined : summarize(looks).mean;
};

/** |cos(ε, v₁)|, the mean over the looks of the probe, of every two arms that perturb, paired by seed. */
export function alignmentTable(records: readonly StudyRecord[], arms: readonly string[]): Table {
  const rows = pairedArms(records, arms, (record, other) => {
    const [a, b] = [meanAlignment(record), meanAlignment(other)];
    return a === undefined || b === undefined ? undefined : a - b;
  });
  const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
  return {
    name: "alignment-pairs",
    title: "Alignment of the perturbation, by pairs",
    head: ["difference", "pairs", "|cos(ε, v₁)|", "p (Holm)"],
    rows: rows.map((row) => {
      const { minuend, subtrahend, difference, p } = row;
      const { mean, ci95 } = difference ?? {};
      return [
        ...cellsOf([`${minuend} − ${subtrahend}`, pairsIn(row)]),
        {
          text: mean === undefined ? "–" : `${signed(mean)}${ci95 === undefined ? "" : ` ± ${ci95.toFixed(3)}`}`,
          bold: p !== undefined && p < LEVEL,
        },
        ...cellsOf([p === undefined ? "–" : p.toFixed(3)]),
      ];
    }),
    note: "Difference of the means over the probe's looks ± its 95 % interval by Student's t; p is of the paired t-test, corrected by Holm for all rows. Bold is below 0.05.",
    csv: pairedCsv(rows, ["mean", "ci95"]),
  };
}
