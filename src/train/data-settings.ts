import { z } from "zod";
import { normalizations } from "../data/dataset.ts";
import { interpolations, MOST } from "../data/geometry.ts";
import { imageLayouts } from "../data/image-layout.ts";
import { namesOf } from "../util/names.ts";
import type { Registry } from "./registry.ts";

const count = z.int().min(1);
const countOrOff = z.int().min(0);
const fraction = z.number().min(0).lt(1);

/** The settings `data.*` of a training run: which examples, and how they are changed. */
export const dataSettings = (registry: Registry) =>
  z
    .strictObject({
      name: z.enum(namesOf(registry.datasets)).default("fashion-mini").describe("data set"),
      dir: z.string().optional().describe("folder to look in first"),
      batch: count.default(128).describe("examples per step"),
      validation: fraction.default(0.1).describe("part of the training examples kept for validation"),
      examples: countOrOff.default(0).describe("training examples that are used, drawn at random; 0 is all"),
      labelNoise: fraction
        .default(0)
        .describe("part of the training labels that is replaced by another class at random (symmetric noise)"),
      crop: countOrOff
        .optional()
        .describe(
          "images: random crop after padding by this many pixels; 0 is off (default: 4 for clothing and CIFAR, else 0)",
        ),
      flip: z
        .boolean()
        .optional()
        .describe("images: random horizontal flip (default: true for clothing and CIFAR, else false)"),
      cutout: countOrOff.default(0).describe("images: side of a random square of zeros, in pixels; 0 is off"),
      randAugment: count
        .optional()
        .describe(
          "images: operations per image that move, turn or slant it, drawn at random (RandAugment's geometric part; default: none)",
        ),
      magnitude: z
        .number()
        .min(0)
        .max(MOST)
        .optional()
        .describe(`images: how far data.randAugment's operations go, from 0 to ${MOST} (default: 9)`),
      interpolation: z
        .enum(interpolations)
        .optional()
        .describe("images: how data.randAugment's operations read between pixels (default: nearest)"),
      fill: z
        .number()
        .min(0)
        .max(255)
        .optional()
        .describe("images: raw pixel that data.randAugment's operations leave where there is no image (default: 0)"),
      mixup: z
        .number()
        .min(0)
        .optional()
        .describe(
          "training examples are mixed in pairs, and their losses with them: α of the share's distribution Beta(α, α) (default: 0, off)",
        ),
      normalization: z
        .enum(normalizations)
        .optional()
        .describe(
          "mean and deviation of pixels: measured over the training images (default), or the authors' constants for CIFAR",
        ),
      images: z.string().optional().describe("data.name=npy: training images .npy, uint8 or float32"),
      labels: z.string().optional().describe("data.name=npy: their labels .npy, whole numbers of any type"),
      testImages: z.string().optional().describe("data.name=npy: test images"),
      testLabels: z.string().optional().describe("data.name=npy: test labels"),
      file: z.string().optional().describe("data.name=csv: training rows .csv, with a line of column names"),
      testFile: z.string().optional().describe("data.name=csv: test rows (default: none)"),
      target: z
        .string()
        .optional()
        .describe("data.name=csv: the column to predict; text is classes, numbers are real values"),
      columns: z
        .array(z.string())
        .optional()
        .describe("data.name=csv: the columns to predict it from (default: all others)"),
      classes: z
        .boolean()
        .optional()
        .describe("data.name=csv: whether whole numbers in data.target are classes (default: false)"),
      path: z
        .string()
        .optional()
        .describe("data.name=folder: folder with train/CLASS/*.png (or .jpg) and perhaps test/CLASS/*"),
      size: count
        .optional()
        .describe(
          "data.name=folder: bring the shorter side to so many pixels and take the square in the middle (default: as the files are)",
        ),
      layout: z
        .enum(imageLayouts)
        .optional()
        .describe("data.name=npy: order of the axes; left out, nchw, and what looks like nhwc is refused"),
    })
    .prefault({});
