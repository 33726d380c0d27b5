import type { Shape } from "../util/shape.ts";
import type { Dataset, LoadOptions, Split } from "./dataset.ts";

/** A published file: where it is, and its MD5 as its authors or torchvision state it. */
export interface SourceFile {
  readonly name: string;
  readonly url: string;
  readonly md5: string;
}

/** Published files that lie side by side, by name and MD5. */
export const sourcesAt = (base: string, files: Readonly<Record<string, string>>): SourceFile[] =>
  Object.entries(files).map(([name, md5]) => ({ name, md5, url: `${base}/${name}` }));

/** Examples of one part, without the rest of their data set. */
export interface ExamplesAlone {
  readonly split: Split;
  readonly inputShape: Shape;
}

/** A data set that configurations and commands know by name. */
export interface DatasetEntry<D extends Dataset = Dataset> {
  readonly kind: "dataset";
  readonly name: string;
  /** One line, for help texts. */
  readonly summary: string;
  /** Random changes of training images that go without saying (data.crop, data.flip); left out, none. */
  readonly augment?: { readonly crop: number; readonly flip: boolean };
  /** The network that its inputs ask for where none is given; left out, one for images. */
  readonly model?: string;
  /** Mean and deviation of the pixels in the authors' code (data.normalization=official); left out where it does not read the set. */
  readonly official?: Pick<Dataset, "mean" | "std">;
  load(options: LoadOptions): D | Promise<D>;
  /**
   * The examples of one part alone, where they can be read without the others, and none are given for validation, for a network that was
   * trained on data such as `known`; undefined where they cannot.
   */
  part?(
    options: LoadOptions,
    part: "train" | "test",
    known: Pick<Dataset, "table" | "classNames" | "inputShape">,
  ): ExamplesAlone | undefined | Promise<ExamplesAlone | undefined>;
  /** The folder it would be loaded from; undefined where it is not there. Left out for sets without a folder. */
  find?(dir?: string): string | undefined;
  /** What `eigensam data fetch` downloads; left out where nothing needs to be. */
  readonly sources?: readonly SourceFile[];
}

/**
 * Declares a data set, for a registry or a plugin; `load` reads it whenever a run asks for it.
 *
 * @example
 * ```ts
 * const examples = { x: Float32Array.of(0, 1, 1, 0), y: Int32Array.of(0, 1), count: 2 };
 * const points = defineDataset({
 *   name: "points",
 *   summary: "two points",
 *   load: (): Dataset => ({
 *     ...{ name: "points", inputShape: [2], mean: [], std: [], train: examples },
 *     targets: { kind: "labels", classes: 2 },
 *   }),
 * });
 * console.log(points.kind); // dataset
 * ```
 */
export const defineDataset = <D extends Dataset>(entry: Omit<DatasetEntry<D>, "kind">): DatasetEntry<D> => ({
  kind: "dataset",
  ...entry,
});

/** Photographs of things whose mirror image is one: crops after padding by 4 pixels, and flips (He et al. 2016). */
export const CROP_AND_FLIP = { crop: 4, flip: true } as const;
