import { readFileSync } from "node:fs";
import { z } from "zod";
import { type ProcessName, processNames, processes } from "../processes.ts";
import { readSdeRecord, sdeFiles } from "../run-dir.ts";
import { trainingMethods } from "../../../optim/methods/index.ts";
import { type SdeVariantName, sdeVariantNames } from "../../../sde/variants.ts";
import { InputError } from "../../../util/errors.ts";
import type { Curve } from "../../../report/curves.ts";
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

const process = z.enum(processNames);
const drifts = Object.fromEntries(sdeVariantNames.map((name) => [name, z.number().optional()])) as Record<
  SdeVariantName,
  z.ZodOptional<z.ZodNumber>
>;
const line = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("measure"),
    step: z.int(),
    process,
    ...(Object.fromEntries(quantityNames.map((name) => [name, z.number().nullable()])) as Record<
      Quantity,
      z.ZodNullable<z.ZodNumber>
    >),
  }),
  z.object({ kind: z.literal("diverged"), step: z.int(), process }),
  z.object({ kind: z.literal("drift"), step: z.int(), ...drifts }),
]);

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
  const record = readSdeRecord(run);
  if (record === undefined) throw new InputError(`${run} has not begun`, { run }, "eigensam sde runs it");
  const { seed, sde, method } = record.config;
  const path = sdeFiles(run).metrics;
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map((text, i) => {
      const parsed = line.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      throw new InputError(`${path}: line ${i + 1} is no measurement: ${parsed.error.issues[0]!.message}`, { path });
    });
  return {
    seed,
    rho: method.rho,
    eta: sde.eta,
    steps: sde.steps,
    method: trainingMethods[method.name].title,
    processes: processNames.filter((name) => sde.processes.includes(name)),
    diverged: Object.fromEntries(lines.flatMap((l) => (l.kind === "diverged" ? [[l.process, l.step]] : []))),
    curve: (name, quantity) =>
      lines.flatMap((l) => {
        const y = l.kind === "measure" && l.process === name ? l[quantity] : null;
        return y === null ? [] : [{ x: l.step, y }];
      }),
    driftError: (variant) =>
      lines.flatMap((l) => {
        const y = l.kind === "drift" ? l[variant] : undefined;
        return y === undefined ? [] : [{ x: l.step, y }];
      }),
  };
}

export const titleOf = (name: ProcessName, method: string): string => processes[name].title(method);
