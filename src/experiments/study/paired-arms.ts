import { holm, type PairedDifference, pairedDifference } from "../../util/statistics.ts";
import type { StudyRecord } from "./record.ts";

/** The difference of two arms, paired by seed and network. */
export interface PairedArms {
  readonly minuend: string;
  readonly subtrahend: string;
  /** Runs of the minuend that are done, and those of them that have a difference. */
  readonly runs: number;
  readonly n: number;
  readonly difference: PairedDifference | undefined;
  /** Of the paired t-test, corrected by Holm for all rows. */
  readonly p: number | undefined;
}

/** Every two arms by `differ`, which has no answer for pairs that cannot be compared. */
export function pairedArms(
  records: readonly StudyRecord[],
  arms: readonly string[],
  differ: (minuend: StudyRecord, subtrahend: StudyRecord) => number | undefined,
): PairedArms[] {
  const done = records.filter(({ status }) => status === "done");
  const pairs = arms.flatMap((subtrahend, i) => arms.slice(i + 1).map((minuend) => ({ minuend, subtrahend })));
  const found = pairs.map(({ minuend, subtrahend }) => {
    const all = done.filter(({ arm }) => arm === minuend);
    const differences = all.flatMap((record) => {
      const other = done.find(
        ({ arm, seed, network }) => arm === subtrahend && seed === record.seed && network === record.network,
      );
      return (other && differ(record, other)) ?? [];
    });
    return { minuend, subtrahend, runs: all.length, n: differences.length, difference: pairedDifference(differences) };
  });
  const corrected = holm(found.flatMap(({ difference }) => difference?.p ?? []));
  let tested = 0;
  return found.map((row) => ({ ...row, p: row.difference === undefined ? undefined : corrected[tested++] }));
}

/** "5", or "4 of 5" where some cannot be compared. */
export const pairsIn = ({ n, runs }: PairedArms): string => (n === runs ? String(n) : `${n} of ${runs}`);

/** The rows for CSV; the names are of the columns of means and intervals. */
export const pairedCsv = (rows: readonly PairedArms[], [mean, ci95]: readonly [string, string]) => [
  ["minuend", "subtrahend", "pairs", mean, ci95, "pHolm"],
  ...rows.map(({ minuend, subtrahend, n, difference, p }) => [
    ...[minuend, subtrahend, n, difference?.mean ?? "", difference?.ci95 ?? "", p ?? ""],
  ]),
];
