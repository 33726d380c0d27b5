import { type PathName, pathsOf, processOf } from "../processes.ts";
import { sdeRun } from "../run-dir.ts";
import type { SdeVariantName } from "../../../sde/variants.ts";
import { InputError } from "../../../util/errors.ts";
import type { Curve, Point } from "../../../report/curves.ts";
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
  readonly path: string;
  readonly seed: number;
  readonly rho: number;
  readonly eta: number;
  readonly steps: number;
  /** How it stands, where it is not complete. */
  readonly unfinished: string | undefined;
  /** Whether anything is measured yet. */
  readonly measured: boolean;
  /** Title of the discrete method. */
  readonly method: string;
  /** Name of the data set, and of the network with its width and activation. */
  readonly data: string;
  readonly model: string;
  /** All settings but seed and radius, as text: runs that have them in common belong together. */
  readonly settings: string;
  readonly paths: readonly PathName[];
  readonly diverged: Readonly<Partial<Record<PathName, number>>>;
  curve(path: PathName, quantity: Quantity): Curve;
  /** Relative error of an equation's drift along the discrete path; empty where it was not measured. */
  driftError(variant: SdeVariantName): Curve;
}

/** Reads a run directory. InputError where it has not begun, or is damaged. */
export function readSdeRun(run: string): SdeRun {
  const record = sdeRun.readRecord(run);
  if (record === undefined) throw new InputError(`${run} has not begun`, { run }, "eigensam sde runs it");
  const { seed, sde, method, data, model, ...others } = record.config;
  const curves = new Map<string, Point[]>();
  const add = (key: string, x: number, y: number) => {
    if (Number.isNaN(y)) return;
    const curve = curves.get(key);
    if (curve) curve.push({ x, y });
    else curves.set(key, [{ x, y }]);
  };
  const diverged: Partial<Record<PathName, number>> = {};
  for (const line of sdeRun.readMetrics(run)) {
    const { kind, step, ...rest } = line;
    if (line.kind === "diverged") diverged[line.process] = step;
    else if (line.kind === "measure")
      for (const quantity of quantityNames) add(`${line.process}/${quantity}`, step, line[quantity]);
    else for (const [name, value] of Object.entries(rest)) add(name, step, value as number);
  }
  const { rho, ...rule } = method;
  return {
    path: run,
    seed,
    rho,
    eta: sde.eta,
    steps: sde.steps,
    unfinished: record.status === "done" ? undefined : `${record.status} at step ${record.step}`,
    measured: curves.size > 0,
    method: methodOf(record).title,
    data: `${data.name}, ${data.inputs} inputs`,
    model: `${model.name} of width ${model.width}, ${model.activation}`,
    settings: JSON.stringify({ ...others, sde, method: rule, data, model }),
    paths: pathsOf(sde),
    diverged,
    curve: (path, quantity) => curves.get(`${path}/${quantity}`) ?? [],
    driftError: (variant) => curves.get(variant) ?? [],
  };
}

export const titleOf = (path: PathName, method: string): string => processOf(path).title(method);
