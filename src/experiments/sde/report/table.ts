import type { Cell, Table } from "../../../report/table.ts";
import { groupBy } from "../../../util/group-by.ts";
import { LEAST_OBSERVATIONS } from "../../../util/bootstrap.ts";
import type { Advantage, Comparison, Distance } from "./distance.ts";
import { sdeVariantNames, sdeVariants } from "../../../sde/variants.ts";
import { summarize } from "../../../util/statistics.ts";
import { quantities, quantityNames, type SdeRun, titleOf } from "./read.ts";

/** What rounding leaves of a difference that is none. */
const ROUNDING = 1e-9;

export const significant = (value: number): string =>
  Math.abs(value) < ROUNDING ? "0" : !Number.isFinite(value) ? String(value) : String(Number(value.toPrecision(2)));

const withInterval = (value: string, interval: Distance["interval"], least = Number.NEGATIVE_INFINITY): string =>
  interval === undefined
    ? value
    : `${value} [${interval.map((end) => significant(Math.max(least, end)).replace("-", "−")).join(", ")}]`;

export interface DistanceTableOptions {
  /** Name of its files. */
  readonly name: string;
  /** What the distances are to. */
  readonly to: string;
  /** Title of the discrete method. */
  readonly method: string;
  /** What else must be known to read it. */
  readonly note: string;
}

/** What brackets are, and what they cannot be for few seeds. */
const bracketNote = (seeds: number): string =>
  seeds < LEAST_OBSERVATIONS
    ? `There are no intervals and no marks: they take ${LEAST_OBSERVATIONS} seeds at least.`
    : "Brackets: 95 % bootstrap intervals over seeds.";

/** Distances, a row per radius and process; the closer order is in bold where the interval of their difference excludes zero. */
export function distanceTable(
  { distances: all, advantages }: Comparison,
  { name, to, method, note }: DistanceTableOptions,
): Table {
  const rows = [...groupBy(all, ({ rho, process }) => `${rho} ${process}`).values()];
  const seeds = all[0]?.seeds ?? 0;
  const cellOf = ({ rho, process, quantity, distance, interval }: Distance): Cell => ({
    text: withInterval(significant(Math.max(0, distance)), interval, 0),
    bold: advantages.some((own) => own.rho === rho && own.quantity === quantity && own.closer === process),
  });
  const unbiased =
    seeds > 1
      ? "What chance adds to it is taken out, so that 0 is no more than chance."
      : "One seed: chance is part of it.";
  return {
    name,
    title: `Distance to ${to}`,
    head: ["ρ", "process", ...quantityNames.map((name) => quantities[name].name)],
    rows: rows.map((row) => [
      { text: String(row[0]!.rho) },
      { text: titleOf(row[0]!.process, method) },
      ...quantityNames.map((name) => {
        const own = row.find(({ quantity }) => quantity === name);
        return own ? cellOf(own) : { text: "–" };
      }),
    ]),
    note:
      `Distance to ${to}: root of the mean square over time of the difference between the means over ${seeds} seeds, in the units of the ` +
      `quantity. ${unbiased} ${bracketNote(seeds)} Bold is the closer of second and third order where the interval of the difference of their ` +
      `distances excludes 0; where nothing is bold, these runs do not tell which is closer. ${note}`,
    csv: [
      [
        ...["rho", "process", "quantity", "distance", "low", "high", "relative", "bias", "biasCi95"],
        ...["seeds", "references"],
      ],
      ...all.map((d) => [
        ...[d.rho, d.process, d.quantity, d.distance, d.interval?.[0] ?? "", d.interval?.[1] ?? "", d.relative],
        ...[d.bias, d.biasCi95 ?? "", d.seeds, d.references],
      ]),
    ],
  };
}

/** The distance of the second order less that of the third, a row per radius; in bold where its interval excludes zero. */
export function advantageTable(all: readonly Advantage[], seeds: number, name: string, to: string): Table {
  const radii = [...new Set(all.map(({ rho }) => rho))];
  const expected = significant(all.length / 20);
  return {
    name,
    title: `Second order less third, to ${to}`,
    head: ["ρ", ...quantityNames.map((name) => quantities[name].name)],
    rows: radii.map((radius) => [
      { text: String(radius) },
      ...quantityNames.map((name): Cell => {
        const own = all.find(({ rho, quantity }) => rho === radius && quantity === name);
        if (!own) return { text: "–" };
        const { difference, interval, closer } = own;
        return {
          text: withInterval(significant(difference).replace("-", "−"), interval),
          bold: closer !== undefined,
        };
      }),
    ]),
    note:
      `Distance of the second-order SDE to ${to} less that of the third-order SDE, over ${seeds} seeds, resampled together for both: above 0 the third ` +
      `order is closer. ${bracketNote(seeds)} Bold where the interval excludes 0. The intervals are not corrected for their number: of ${all.length} ` +
      `about ${expected} would exclude 0 by chance.`,
    csv: [
      ["rho", "quantity", "difference", "low", "high", "closer", "seeds"],
      ...all.map((a) => [
        ...[a.rho, a.quantity, a.difference, a.interval?.[0] ?? "", a.interval?.[1] ?? "", a.closer ?? ""],
        seeds,
      ]),
    ],
  };
}

/** Parts of the path whose drift errors are averaged: the start is far steeper than the rest. */
const SPANS = [
  { head: "step 0", from: 0, to: 0 },
  { head: "first tenth", from: 0, to: 0.1 },
  { head: "the rest", from: 0.1, to: 1 },
] as const;

/** How far each equation's drift is from the exact one along the discrete path, a row per radius and equation. */
export function driftTable(groups: readonly (readonly SdeRun[])[], method: string): Table {
  const rows = groups.flatMap((runs) =>
    sdeVariantNames
      .filter((name) => runs.every((run) => run.driftError(name).length > 0))
      .map((name) => ({
        rho: runs[0]!.rho,
        name,
        means: SPANS.map(({ from, to }) => {
          const { steps } = runs[0]!;
          const inside = (x: number) => (to === 0 ? x === 0 : x > from * steps && x <= to * steps);
          const values = runs.flatMap((run) => run.driftError(name).filter(({ x }) => inside(x)));
          return values.length === 0 ? Number.NaN : summarize(values.map(({ y }) => y)).mean;
        }),
      })),
  );
  return {
    name: "sde-drift-errors",
    title: "Error of the drift",
    head: ["ρ", "drift of", ...SPANS.map(({ head }) => head)],
    rows: rows.map(({ rho, name, means }) => [
      { text: String(rho) },
      { text: sdeVariants[name].title },
      ...means.map((mean) => ({ text: Number.isNaN(mean) ? "–" : `${significant(100 * mean)} %` })),
    ]),
    note: `‖E[h] − E[hₑ]‖/‖E[hₑ]‖ at points of discrete ${method}'s own path, hₑ being its exact direction, mean over points and seeds.`,
    csv: [
      ["rho", "variant", "start", "firstTenth", "rest"],
      ...rows.map(({ rho, name, means }) => [rho, name, ...means]),
    ],
  };
}
