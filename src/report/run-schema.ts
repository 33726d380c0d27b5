import { z } from "zod";
import { trainingMethodNames } from "../optim/methods/index.ts";

/** JSON has no NaN and no infinity: JSON.stringify writes null for them. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const step = z.int().min(0);
const epoch = z.int().min(1);

const score = z.object({ loss: measured, accuracy: measured.optional() });

const stepLine = z.object({
  kind: z.literal("step"),
  step,
  epoch,
  loss: measured,
  gradNorm: measured,
  lr: measured,
  cosGradV: measured.optional(),
  cosEpsV: measured.optional(),
});

const epochLine = z.object({
  kind: z.literal("epoch"),
  epoch,
  step,
  train: score,
  val: score.nullable(),
  test: score.optional(),
});

const refreshLine = z.object({
  kind: z.literal("refresh"),
  step,
  epoch,
  eigenvalue: measured,
  residual: measured,
  cosGradV: measured,
});

const doneLine = z.object({ kind: z.literal("done"), test: score.nullable() });

const probeLine = z.object({
  kind: z.literal("probe"),
  step,
  epoch,
  eigenvalue: measured,
  residual: measured,
  ratio: measured,
  subspace: measured,
});

/** A line of metrics.jsonl. */
export const metricsLine = z.discriminatedUnion("kind", [stepLine, epochLine, refreshLine, probeLine, doneLine]);

const epochTime = z.object({
  kind: z.literal("epoch"),
  epoch,
  seconds: measured,
  imagesPerSecond: measured,
  dataWait: measured,
  stepSeconds: measured,
});

const refreshTime = z.object({ kind: z.literal("refresh"), step, seconds: measured });
const probeTime = z.object({ kind: z.literal("probe"), step, seconds: measured });

/** A line of timings.jsonl. */
export const timingsLine = z.discriminatedUnion("kind", [epochTime, refreshTime, probeTime]);

/** Settings that a report names; all others are kept as they are, so that runs of other versions can be read. */
const config = z.looseObject({
  seed: z.int(),
  model: z.looseObject({ name: z.string() }),
  data: z.looseObject({ name: z.string(), batch: z.int().min(1) }),
  method: z.looseObject({ name: z.enum(trainingMethodNames) }),
  train: z.looseObject({ epochs: z.int().min(1) }),
});

const result = z.object({
  epochs: z.int(),
  train: score,
  val: score.nullable(),
  test: score.nullable(),
  seconds: measured,
});

/** run.json. */
export const runRecord = z.object({
  version: z.literal(1),
  config,
  model: z.object({ name: z.string(), parameters: z.int() }),
  data: z.object({ name: z.string(), classes: z.int().optional(), train: z.int(), val: z.int(), test: z.int() }),
  device: z.string(),
  threads: z.int(),
  versions: z.object({ eigensam: z.string(), node: z.string(), onnxruntime: z.string() }),
  status: z.enum(["running", "done", "stopped", "failed"]),
  startedAt: z.string(),
  result: result.optional(),
  error: z.string().optional(),
});

export type RunRecord = z.output<typeof runRecord>;
export type StepLine = z.output<typeof stepLine>;
export type EpochLine = z.output<typeof epochLine>;
export type RefreshLine = z.output<typeof refreshLine>;
export type EpochTime = z.output<typeof epochTime>;
export type ProbeLine = z.output<typeof probeLine>;
export type RefreshTime = z.output<typeof refreshTime>;
