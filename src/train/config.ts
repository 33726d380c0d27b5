import { z } from "zod";
import { datasetNames } from "../data/index.ts";
import { modelNames } from "../models/index.ts";
import { solverNames } from "../optim/eigenvector.ts";
import { trainingMethodNames } from "../optim/methods.ts";
import { optimizerNames } from "../optim/optimizers.ts";
import { scheduleNames } from "../optim/schedules.ts";
import { devices } from "../runtime/device.ts";

const count = z.int().min(1);
const countOrOff = z.int().min(0);
const positive = z.number().positive();
const notNegative = z.number().min(0);
const fraction = z.number().min(0).lt(1);

/** Every setting of a training run: dotted keys of the command line, tables of a TOML file. */
export const trainSchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .default(1)
    .describe("decides initialization, order of images, augmentation and first eigenvector"),
  device: z.enum(devices).default("cpu").describe("where the graph runs"),
  threads: countOrOff.default(0).describe("threads of ONNX Runtime; 0 is one per core"),
  model: z
    .strictObject({
      name: z.enum(modelNames).default("resnet18"),
      width: count
        .optional()
        .describe("channels of the first stage, widening factor or hidden units; each model has its default"),
      depth: count.optional().describe("layers, where the model has a choice"),
      activation: z.enum(["relu", "tanh", "silu"]).optional().describe("nonlinearity, where the model has a choice"),
    })
    .prefault({}),
  data: z
    .strictObject({
      name: z.enum(datasetNames).default("fashion-mini"),
      dir: z.string().optional().describe("folder to look in first"),
      batch: count.default(128).describe("images per step"),
      validation: fraction.default(0.1).describe("part of the training images kept for validation"),
      crop: countOrOff.default(4).describe("random crop after padding by this many pixels; 0 is off"),
      flip: z.boolean().default(true).describe("random horizontal flip"),
      cutout: countOrOff.default(0).describe("side of a random square of zeros, in pixels; 0 is off"),
      images: z.string().optional().describe("data.name=npy: training images .npy, NCHW uint8 or float32"),
      labels: z.string().optional().describe("data.name=npy: their labels .npy, int64"),
      testImages: z.string().optional().describe("data.name=npy: test images"),
      testLabels: z.string().optional().describe("data.name=npy: test labels"),
    })
    .prefault({}),
  method: z
    .strictObject({
      name: z.enum(trainingMethodNames).default("eigen-sam"),
      rho: notNegative.default(0.1).describe("perturbation radius ρ"),
      alpha: notNegative.default(0.2).describe("alignment strength α of Eigen-SAM"),
      solver: z
        .enum(solverNames)
        .default("free")
        .describe("how the top eigenvector is kept up: docs/notes/eigenvector-solvers.md compares them"),
      every: count
        .default(100)
        .describe("steps between estimates of the top eigenvector, k: solvers power and lanczos; spread takes k/p"),
      iterations: count
        .default(5)
        .describe("Hessian-vector products per estimate, p: solvers power and lanczos, and the first estimate of all"),
      follow: fraction
        .default(0.1)
        .describe("part of v that the change of the gradient replaces in every step: solver free"),
      hessianBn: z.enum(["batch", "running"]).default("batch").describe("batch-norm statistics in the Hessian"),
      warmup: z
        .enum(["estimate", "sam", "usam"])
        .default("estimate")
        .describe("before the first regular estimate: estimate at step 0, or take SAM or USAM steps"),
      compat: z
        .enum(["none", "official"])
        .default("none")
        .describe("official: warmup usam, hessianBn running, steps counted within the epoch, as the authors' code"),
    })
    .prefault({}),
  optimizer: z
    .strictObject({
      name: z.enum(optimizerNames).default("sgd"),
      lr: notNegative.default(0.1).describe("learning rate η"),
      momentum: fraction.default(0.9).describe("μ of SGD"),
      nesterov: z.boolean().default(false),
      weightDecay: notNegative.default(5e-4).describe("coupled in SGD, decoupled in AdamW"),
      beta1: fraction.default(0.9),
      beta2: fraction.default(0.999),
      eps: positive.default(1e-8),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      name: z.enum(scheduleNames).default("cosine"),
      warmup: notNegative.default(0).describe("epochs of linear warm-up"),
      milestones: z.array(notNegative).default([]).describe("epochs at which schedule.name=step multiplies by gamma"),
      gamma: positive.default(0.1),
    })
    .prefault({}),
  train: z
    .strictObject({
      epochs: count.default(10),
      labelSmoothing: fraction.default(0),
      clip: notNegative.default(0).describe("largest norm of the descent direction; 0 is off"),
      checkpointEvery: countOrOff
        .default(0)
        .describe("steps between checkpoints, besides one after every epoch; 0 is off"),
      diagnosticsEvery: countOrOff
        .default(0)
        .describe(
          "steps between measurements of λ₁ and alignment where the method makes no estimates of its own; 0 is off",
        ),
      testEvery: countOrOff.default(0).describe("epochs between scorings of the test set besides the last; 0 is off"),
    })
    .prefault({}),
});

export type TrainConfig = z.output<typeof trainSchema>;
