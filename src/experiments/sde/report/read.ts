import { type ProcessName, processNames, processes } from "../processes.ts";
import { sdeRun } from "../run-dir.ts";
import type { SdeVariantName } from "../../../sde/variants.ts";
import { InputError } from "../../../util/errors.ts";
import type { Curve } from "../../../report/curves.ts";
import { methodOf } from "../../../report/method.ts";
import { namesOf } from "../../../util/names.ts";

export interface QuantityInfo {
  /** Title of its panel. */
  readonly title: string;
  /** Name in tables. */
  readonly name: string;
  readonly percent?: boolean;
}

/** What the six panels show, in their order. */
export const quantities = {
  trainLoss: { title: "Training loss", name: "training loss" },
  testLoss: { title: "Test loss", name: "test loss" },
  testAccuracy: { title: "Test accuracy", name: "test accuracy", percent: true },
  norm: { title: "Parameter norm ‖θ‖", name: "‖θ‖" },
  gradNorm: { title: "Gradient norm ‖∇f‖", name: "‖∇f‖" },
  eigenvalue: { title: "Top Hessian eigenvalue λ₁", name: "λ₁" },
} as const satisfies Readonly<Record<string, QuantityInfo>>;

export type Quantity = keyof typeof quantities;

export const quantityNames = namesOf(quantities);

/** One run as figures and tables see it. */
export interface SdeRun {
  readonly seed: number;
  readonly rho: number;
  readonly eta: number;
  readonly steps: number;
  /** Title of the discrete method. */
  readonly method: string;
  readonly processes: readonly ProcessName[];
  readonly diverged: Readonly<Partial<Record<ProcessName, number>>>;
  curve(process: ProcessName, quantity: Quantity): Curve;
  /** Relative error of an equation's drift along the discrete path; empty where it was not measured. */
  driftError(variant: SdeVariantName): Curve;
}

export function readSdeRun(run: string): SdeRun {
  const record = sdeRun.readRecord(run);
  if (record === undefined) throw new InputError(`${run} has not begun`, { run }, "eigensam sde runs it");
  const { seed, sde, method } = record.config;
  const lines = sdeRun.readMetrics(run);
  return {
    seed,
    rho: method.rho,
    eta: sde.eta,
    steps: sde.steps,
    method: methodOf(record).title,
    processes: processNames.filter((name) => sde.processes.includes(name)),
    diverged: Object.fromEntries(lines.flatMap((l) => (l.kind === "diverged" ? [[l.process, l.step]] : []))),
    curve: (name, quantity) =>
      lines.flatMap((l) => {
        const y = l.kind === "measure" && l.process === name ? l[quantity] : Number.NaN;
        return Number.isNaN(y) ? [] : [{ x: l.step, y }];
      }),
    driftError: (variant) =>
      lines.flatMap((l) => {
        const y = (l.kind === "drift" ? l[variant] : undefined) ?? Number.NaN;
        return Number.isNaN(y) ? [] : [{ x: l.step, y }];
      }),
  };
}

export const titleOf = (name: ProcessName, method: string): string => processes[name].title(method);
