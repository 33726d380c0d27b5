import { z } from "zod";
import { marks } from "../../run/checkpoint.ts";
import { recordHead } from "../../run/directory.ts";
import { measured } from "../../run/lines.ts";
import { methodInfo } from "../../train/records.ts";
import { MOST_REPLICATES, isPathName, type PathName, processNames } from "./processes.ts";

const step = z.int().min(0);
const process = z.custom<PathName>(isPathName, "no process of the experiment");

/** The six quantities of the figure, and how good the last of them is. */
const measurement = {
  /** Mean loss on all training images. */
  trainLoss: measured,
  testLoss: measured,
  testAccuracy: measured,
  /** ‖θ‖. */
  norm: measured,
  /** ‖∇f‖ on all training images. */
  gradNorm: measured,
  /** λ₁ by Lanczos on the first measure.curvatureImages training images. */
  eigenvalue: measured,
  /** ‖Hv − λv‖/|λ|. */
  residual: measured,
};

export const measureLine = z.object({ kind: z.literal("measure"), step, process, ...measurement });

/** A line of metrics.jsonl. */
export const sdeLine = z.discriminatedUnion("kind", [
  measureLine,
  z.object({ kind: z.literal("diverged"), step, process }),
  /** ‖h̄ − h̄ₑ‖/‖h̄ₑ‖ of each equation's h against the exact one, by name: the error of its drift. */
  z.object({ kind: z.literal("drift"), step }).catchall(measured),
]);

/** run.json: what was run, and how it ended. Settings that a report names are checked; all others are kept as they are. */
export const sdeRecord = z.object({
  kind: z.literal("sde"),
  ...recordHead,
  versions: z.object({ eigensam: z.string(), node: z.string() }),
  config: z.looseObject({
    seed: z.int(),
    // Earlier versions had no choice of these three.
    data: z.looseObject({ name: z.string(), inputs: z.string().default("normalized") }),
    model: z.looseObject({ name: z.string().default("mlp"), width: z.int(), activation: z.string().default("tanh") }),
    method: z.looseObject({ name: z.string(), rho: z.number() }),
    sde: z.looseObject({
      eta: z.number(),
      steps: z.int(),
      processes: z.array(z.enum(processNames)),
      /** Earlier versions repeated the method once. */
      replicates: z.int().min(1).max(MOST_REPLICATES).default(2),
    }),
  }),
  /** Earlier versions did not write it. */
  method: methodInfo.optional(),
  step,
  /** Time spent so far. */
  seconds: measured,
});

/** Where a run stands, besides its vectors. */
export const sdeProgress = z.object({
  ...marks,
  /** The steps at which processes ceased to have finite numbers. */
  diverged: z.partialRecord(process, step),
});

export type Measurement = z.output<z.ZodObject<typeof measurement>>;
export type SdeProgress = z.output<typeof sdeProgress>;
