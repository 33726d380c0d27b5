import { z } from "zod";
import { marks } from "../run/checkpoint.ts";
import { recordHead } from "../run/directory.ts";
import { measured } from "../run/lines.ts";
import type { Written } from "../run/recorder.ts";

const step = z.int().min(0);
const count = z.int().min(1);
const epoch = z.int().min(1);

/** Loss and, where there are classes, accuracy. */
export const score = z.object({ loss: measured, accuracy: measured.optional() });

/** Step metrics (gradNorm, cosGradV, those of plugins) are further numbers. */
const stepLine = z.object({ kind: z.literal("step"), step, epoch, lr: measured, loss: measured }).catchall(measured);

export const epochLine = z.object({
  kind: z.literal("epoch"),
  epoch,
  /** Steps taken so far. */
  step,
  train: score,
  val: score.nullable(),
  test: score.optional(),
});

/** What the probe found (train/probe.ts), at θ before a step, or at the end. H̄ is the mean Hessian over its own mini-batches. */
export const probeLine = z.object({
  kind: z.literal("probe"),
  step,
  epoch,
  /** The loss on its mini-batches. */
  loss: measured,
  /** λ₁(H̄), and ‖H̄q − λ₁q‖/|λ₁| as measured by a further product. */
  eigenvalue: measured,
  residual: measured,
  /** λ₁ … λ_k, and their residuals. */
  eigenvalues: z.array(measured),
  residuals: z.array(measured),
  /** Hessian-vector products over all its mini-batches. */
  products: count,
  batches: count,
  images: count,
  /** vᵀH̄v/λ₁ of the solver's v, and cos² of its angle to the span of the top k eigenvectors. */
  ratio: measured.optional(),
  subspace: measured.optional(),
  /** Whether the step perturbs along v. */
  inUse: z.boolean().optional(),
  /** |cos(g, v₁)| and |cos(ε, v₁)| of the step taken there. */
  cosGrad: measured.optional(),
  cosEps: measured.optional(),
});

/** A line of metrics.jsonl. */
export const metricsLine = z.discriminatedUnion("kind", [
  stepLine,
  epochLine,
  z.object({
    kind: z.literal("refresh"),
    step,
    epoch,
    /** Earlier versions did not write it. */
    estimator: z.enum(["power", "lanczos", "oracle"]).optional(),
    eigenvalue: measured,
    residual: measured,
    /** Earlier versions did not write it. */
    rayleigh: measured.optional(),
    cosGradV: measured,
    /** Whether its sign and residual pass, and whether steps perturb along it. Earlier versions did not write it. */
    good: z.boolean().optional(),
    used: z.boolean().optional(),
    products: count.optional(),
  }),
  probeLine,
  /** Scores of the validation examples inside an epoch. */
  z.object({ kind: z.literal("validation"), step, epoch, val: score }),
  /** What is odd in the training itself. */
  z.object({ kind: z.literal("warning"), step, epoch, message: z.string() }),
  z.object({ kind: z.literal("done"), test: score.nullable() }),
]);

const epochTime = z.object({
  kind: z.literal("epoch"),
  epoch,
  seconds: measured,
  imagesPerSecond: measured,
  /** Part of the time in which the step waited for its images. */
  dataWait: measured,
  /** Median time of one step, without refreshes. */
  stepSeconds: measured,
});

/** A line of timings.jsonl. */
export const timingsLine = z.discriminatedUnion("kind", [
  epochTime,
  z.object({ kind: z.literal("refresh"), step, seconds: measured }),
  z.object({ kind: z.literal("probe"), step, seconds: measured }),
]);

/** What a run did, counted over all of its steps, sessions before a resumed one included. */
export const tally = z.object({
  /** Steps by the rule that they took: the base optimizer's before the method begins, USAM's in a warm-up, the method's own, and the one between. */
  rules: z.object({ before: step, warmup: step, own: step, between: step }),
  /** Steps that perturbed along an estimate of v, and the sum of their |cos(ε, v)|. */
  alongV: step,
  alignment: measured,
  /** Steps that were shortened to train.clip. */
  clipped: step,
  /** Estimates of v, and those of them that were good. */
  estimates: step,
  good: step,
  /** Time by what it was spent on. */
  seconds: z.object({ steps: measured, estimates: measured, probe: measured, data: measured }),
});

const result = z.object({
  epochs: z.int(),
  train: score,
  val: score.nullable(),
  /** Null where the data set has no test examples. */
  test: score.nullable(),
  seconds: measured,
  /** Test examples by class, a line each, and by what they were taken for: where each has one class of up to 100. */
  confusion: z.array(z.string().regex(/^\d+( \d+)*$/)).optional(),
  /** Left out where a checkpoint of an earlier version had none. */
  tally: tally.optional(),
});

/** Settings that a report names; all others are kept as they are, so that runs of other versions can be read. */
const config = z.looseObject({
  seed: z.int(),
  model: z.looseObject({ name: z.string() }),
  data: z.looseObject({ name: z.string(), batch: z.int().min(1), labelNoise: z.number().optional() }),
  method: z.looseObject({ name: z.string() }),
  train: z.looseObject({ epochs: z.int().min(1) }),
});

/** What a method declares of itself, so that reports know one of a plugin. */
export const methodInfo = z.object({
  name: z.string(),
  title: z.string(),
  summary: z.string().optional(),
  /** Whether it needs the top eigenvector. */
  eigenvector: z.boolean(),
  colour: z.string().optional(),
});

/** How a step metric is shown (optim/metrics/metric.ts), so that reports know one of a plugin. */
const metricInfo = z.object({
  name: z.string(),
  title: z.string(),
  symbol: z.string(),
  about: z.string(),
  id: z.string().optional(),
  figure: z
    .object({
      title: z.string(),
      shows: z.string(),
      needs: z.string(),
      within: z.tuple([z.number(), z.number()]).readonly().optional(),
      zero: z.boolean().optional(),
      linear: z.boolean().optional(),
    })
    .optional(),
  table: z.enum(["mean", "last"]).optional(),
  progress: z.boolean().optional(),
});

/** How rows of a table became examples (data/table.ts). */
const tableFormat = z.object({
  columns: z
    .array(
      z.union([
        z.object({ name: z.string(), mean: z.number(), std: z.number() }),
        z.object({ name: z.string(), values: z.array(z.string()).readonly() }),
      ]),
    )
    .readonly(),
  target: z.object({ name: z.string(), mean: z.number().optional(), std: z.number().optional() }),
});

/** run.json: what was run, on what, and how it ended. */
export const runRecord = z.object({
  /** Earlier versions wrote none. */
  kind: z.literal("train").default("train"),
  ...recordHead,
  config,
  method: methodInfo.optional(),
  /** The step metrics in metrics.jsonl. */
  metrics: z.array(metricInfo).optional(),
  /** `start`: SHA-256 of the file that it started from. */
  model: z.object({ name: z.string(), parameters: z.int(), start: z.string().optional() }),
  data: z.object({
    name: z.string(),
    classes: z.int().optional(),
    train: z.int(),
    val: z.int(),
    test: z.int(),
    /** What the network takes and gives, so that it needs no data to be restored. Earlier versions wrote neither this nor digests. */
    format: z
      .object({
        inputShape: z.array(count).readonly(),
        targets: z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("labels"), classes: count, shape: z.array(count).readonly().optional() }),
          z.object({ kind: z.literal("values"), shape: z.array(count).readonly() }),
        ]),
        /** What the labels stand for, where the data set says so. */
        classNames: z.array(z.string()).readonly().optional(),
        /** How rows of a table became examples. */
        table: tableFormat.optional(),
        dtype: z.enum(["u8", "f32", "i32"]),
        mean: z.array(z.number()).readonly(),
        std: z.array(z.number()).readonly(),
      })
      .optional(),
    digests: z.object({ train: z.string(), val: z.string(), test: z.string() }).partial().optional(),
  }),
  device: z.string(),
  threads: z.int(),
  versions: z.object({ eigensam: z.string(), node: z.string(), onnxruntime: z.string() }),
  startedAt: z.string(),
  result: result.optional(),
});

/** Where a run stands, besides its vectors. */
export const progress = z.object({
  ...marks,
  epoch: step,
  stepInEpoch: step,
  /** Over the steps of the epoch so far. */
  sums: z.object({ loss: measured, correct: measured, images: measured }),
  /** Scores of the last complete epoch. */
  last: z.object({ train: score, val: score.nullable() }).nullable(),
  /** By accuracy on the validation examples, or by loss where there are no classes. */
  best: z.object({ epoch, accuracy: measured.optional(), loss: measured.optional() }).nullable(),
  /** Checkpoints of earlier versions have none. */
  tally: tally.optional(),
});

export type Tally = z.output<typeof tally>;
export type Score = z.output<typeof score>;
/** Lines as the training writes them. */
export type MetricsLine = Written<z.output<typeof metricsLine>>;
export type TimingsLine = Written<z.output<typeof timingsLine>>;
export type RunRecord = z.output<typeof runRecord>;
export type RunResult = z.output<typeof result>;
export type MethodRecord = z.output<typeof methodInfo>;
type Open<L> = Written<L> & Readonly<Record<string, unknown>>;
/** A line of a step as it is read, with the numbers that a metric added. */
export type StepLine = Open<z.output<typeof stepLine>>;
export type ProbeLine = z.output<typeof probeLine>;
export type EpochLine = z.output<typeof epochLine>;
export type EpochTime = z.output<typeof epochTime>;
export type Progress = z.output<typeof progress>;
