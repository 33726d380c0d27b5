import type { Cell, Table } from "../../../report/table.ts";
import type { Distance } from "./distance.ts";
import { sdeVariantNames, sdeVariants } from "../../../sde/variants.ts";
import { summarize } from "../../../util/statistics.ts";
import { quantities, quantityNames, type SdeRun, titleOf } from "./read.ts";

/** The equations that are compared; the closer one is set in bold. */
const RIVALS = ["second", "third"] as const;

export const significant = (value: number): string =>
  value === 0 || !Number.isFinite(value) ? String(value) : String(Number(value.toPrecision(2)));

interface DistanceTableOptions {
  /** Name of its files. */
  readonly name: string;
  /** What the distances are to. */
  readonly to: string;
  /** Title of the discrete method. */
  readonly method: string;
  /** What else must be known to read it. */
  readonly note: string;
}

/** Distances, a row per radius and process. */
export function distanceTable(all: readonly Distance[], { name, to, method, note }: DistanceTableOptions): Table {
  const rows = [...new Set(all.map(({ rho, process }) => `${rho} ${process}`))].map((key) =>
    all.filter(({ rho, process }) => `${rho} ${process}` === key),
  );
  const cellOf = (own: Distance): Cell => {
    const others = all.filter(({ rho, quantity }) => rho === own.rho && quantity === own.quantity);
    const rivals = others.filter(({ process }) => (RIVALS as readonly string[]).includes(process));
    const best = rivals.length > 1 && rivals.includes(own) && rivals.every(({ distance }) => own.distance <= distance);
    return { text: `${significant(own.distance)} (${significant(100 * own.relative)} %)`, bold: best };
  };
  const label = (process: Distance["process"]) => titleOf(process, method);
  return {
    name,
    title: `Distance to ${to}`,
    head: ["ρ", "process", ...quantityNames.map((name) => quantities[name].name)],
    rows: rows.map((row) => [
      { text: String(row[0]!.rho) },
      { text: label(row[0]!.process) },
      ...quantityNames.map((name) => cellOf(row.find(({ quantity }) => quantity === name)!)),
    ]),
    note:
      `Distance to ${to}: mean over time of the absolute difference between the means over ${all[0]?.seeds ?? 0} seeds, in the units of the ` +
      `quantity and as a part of its own; bold is the closer of second and third order. ${note}`,
    csv: [
      ["rho", "process", "quantity", "distance", "relative", "bias", "biasCi95", "seeds"],
      ...all.map((d) => [d.rho, d.process, d.quantity, d.distance, d.relative, d.bias, d.biasCi95 ?? "", d.seeds]),
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
