import type { Targets } from "../nn/losses.ts";
import type { Shape } from "../util/shape.ts";
import type { ImageLayout } from "./image-layout.ts";
import type { TableFormat } from "./table.ts";

/** Numbers that a network reads: pixels 0…255, real numbers, or integers such as tokens. */
export type Inputs = Uint8Array | Float32Array | Int32Array;

/** Labels 0 … classes − 1, or real-valued targets. */
export type TargetArray = Int32Array | Float32Array;

/** Examples in a row. */
export interface Split {
  /** [count, …inputShape]. */
  readonly x: Inputs;
  /** [count] labels, or [count, …shape] values. */
  readonly y: TargetArray;
  readonly count: number;
}

/** One mini-batch. */
export interface Batch {
  readonly x: Inputs;
  readonly y: TargetArray;
}

/** Training examples that arrive batch by batch. */
export interface BatchSource {
  readonly stepsPerEpoch: number;
  /** Examples in each batch. */
  readonly batch: number;
  /** An array of the type that every batch's x has. */
  readonly like: Inputs;
  /** The batches of an epoch, counted from 0. */
  open(epoch: number): AsyncIterable<Batch>;
}

/** Examples for training and, perhaps, for validation and test. */
export interface Dataset {
  readonly name: string;
  /** Shape of one example: [C, H, W] of images, [d] of feature vectors. */
  readonly inputShape: Shape;
  readonly targets: Targets;
  /** What the labels 0, 1, … stand for; left out where it is not known. */
  readonly classNames?: readonly string[] | undefined;
  /** How rows of a table become its examples; left out where they come from no table. */
  readonly table?: TableFormat | undefined;
  /** Per channel, of pixels in 0…1; read for uint8 inputs alone, others are used as they are. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: Split | BatchSource;
  /** Held-out examples; left out, a part of the training examples is (data.validation). */
  readonly val?: Split;
  readonly test?: Split;
}

export const isSplit = (examples: Split | BatchSource): examples is Split => "count" in examples;

/** Where the files of a set may be, besides the usual places. */
export interface LoadOptions {
  /** Looked in first. */
  readonly dir?: string | undefined;
  readonly images?: string | undefined;
  readonly labels?: string | undefined;
  readonly testImages?: string | undefined;
  readonly testLabels?: string | undefined;
  /** Tables in .csv files, the column to predict, and those to predict it from. */
  readonly file?: string | undefined;
  readonly testFile?: string | undefined;
  readonly target?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  /** Whether whole numbers in the column to predict are classes. */
  readonly classes?: boolean | undefined;
  /** A folder of images, in a folder per class. */
  readonly path?: string | undefined;
  /** Side in pixels to which these images are brought. */
  readonly size?: number | undefined;
  /** Order of the axes of images in .npy files; left out, channels first, and what looks otherwise is refused. */
  readonly layout?: ImageLayout | undefined;
  /** Which mean and deviation of its pixels the network is given; left out, measured. */
  readonly normalization?: NormalizationName | undefined;
}

/** Measured over the training images, or the constants of the authors' code, for the sets that it reads. */
export const normalizations = ["measured", "official"] as const;

export type NormalizationName = (typeof normalizations)[number];

/** A data set of labelled images, as the published ones are. */
export interface ImageDataset extends Dataset {
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly targets: Extract<Targets, { readonly kind: "labels" }>;
  readonly train: ImageSplit;
  readonly test: ImageSplit;
}

/** Labelled images in a row, [count, C, H, W]. */
export interface ImageSplit extends Split {
  readonly x: Uint8Array | Float32Array;
  readonly y: Int32Array;
}
