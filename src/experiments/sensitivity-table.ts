import { cellsOf, type Table } from "../report/table.ts";
import { settingOf } from "../sweep/names.ts";
import { holm, pairedDifference } from "../util/statistics.ts";
import { variesEstimates } from "./sensitivity-figure.ts";
import type { StudyRecord } from "./study/record.ts";

const numberAt = ({ config }: StudyRecord, key: string): number => Number(settingOf(config, key) ?? 0);

/**
 * What α adds to SAM: test accuracy of each α less that of SAM with the same ρ, seed and labels, averaged over the radii of a seed, so
 * that seeds are the pairs.
 */
export function mixingTable(records: readonly StudyRecord[]): Table {
  const all = records.flatMap((record) => {
    const accuracy = record.test?.accuracy;
    if (variesEstimates(record) || accuracy === undefined) return [];
    return {
      ...{ noise: numberAt(record, "data.labelNoise"), rho: numberAt(record, "method.rho") },
      ...{ alpha: numberAt(record, "method.alpha"), seed: record.seed, accuracy: 100 * accuracy },
    };
  });
  const distinct = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
  const seeds = distinct(all.map(({ seed }) => seed));
  const rows = distinct(all.map(({ noise }) => noise)).flatMap((noise) =>
    distinct(all.map(({ alpha }) => alpha))
      .filter((alpha) => alpha > 0)
      .map((alpha) => {
        const bySeed = seeds.flatMap((seed) => {
          const own = all.filter((run) => run.noise === noise && run.seed === seed);
          const gains = own
            .filter((run) => run.alpha === alpha)
            .flatMap(({ rho, accuracy }) => {
              const sam = own.find((run) => run.alpha === 0 && run.rho === rho);
              return sam ? [accuracy - sam.accuracy] : [];
            });
          return gains.length === 0 ? [] : [gains.reduce((sum, gain) => sum + gain, 0) / gains.length];
        });
        return { noise, alpha, difference: pairedDifference(bySeed) };
      }),
  );
  const corrected = holm(rows.map(({ difference }) => difference?.p ?? 1));
  const signed = (x: number) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;
  return {
    name: "mixing",
    title: "What α adds to SAM",
    head: ["wrong labels", "α", "seeds", "test accuracy, points", "p (Holm)"],
    rows: rows.map(({ noise, alpha, difference }, i) =>
      cellsOf([
        ...[`${Math.round(100 * noise)} %`, String(alpha), String(difference?.n ?? 0)],
        difference === undefined ? "–" : `${signed(difference.mean)} ± ${difference.ci95!.toFixed(2)}`,
        difference === undefined ? "–" : corrected[i]!.toFixed(3),
      ]),
    ),
    note: "Test accuracy less that of SAM with the same ρ, seed and labels, averaged over the radii; ± is the 95 % confidence interval over seeds, p of the paired t-test, corrected by Holm for all rows.",
    csv: [
      ["labelNoise", "alpha", "seeds", "mean", "ci95", "pHolm"],
      ...rows.map(({ noise, alpha, difference }, i) => [
        ...[noise, alpha, difference?.n ?? 0, difference?.mean ?? "", difference?.ci95 ?? ""],
        difference === undefined ? "" : corrected[i]!,
      ]),
    ],
  };
}
