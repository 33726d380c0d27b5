import { namesOf } from "../util/names.ts";
import { csv } from "./csv.ts";
import { cifar10, cifar100 } from "./cifar.ts";
import type { LoadOptions } from "./dataset.ts";
import type { DatasetEntry } from "./entry.ts";
import { folder } from "./folder.ts";
import { fashionMini, fashionMnist } from "./fashion.ts";
import { mnist } from "./mnist.ts";
import { npy } from "./npy.ts";
import { svhn } from "./svhn.ts";

/** The data sets that configurations and commands know by name; a new one is one file and one line. */
export const datasets = {
  "fashion-mini": fashionMini,
  "fashion-mnist": fashionMnist,
  mnist,
  cifar10,
  cifar100,
  svhn,
  npy,
  csv,
  folder,
} as const satisfies Readonly<Record<string, DatasetEntry>>;

/** Name of a built-in data set. */
export type DatasetName = keyof typeof datasets;

/** The names of the built-in data sets. */
export const datasetNames = namesOf(datasets);

/**
 * Reads a data set by name, from its folder, the cache or the package. Images are [count, C, H, W], rows of a table [count, d], and labels [count].
 * Nothing is downloaded: `eigensam data fetch` does that.
 *
 * @throws DataError where its files are missing or damaged
 * @example
 * ```ts
 * const { train, inputShape } = await loadDataset("fashion-mini");
 * console.log(train.count, inputShape); // 10000 [1, 28, 28]
 * ```
 */
export const loadDataset = async <N extends DatasetName>(
  name: N,
  options: LoadOptions = {},
): Promise<Loaded<(typeof datasets)[N]>> => datasets[name].load(options) as Loaded<(typeof datasets)[N]>;

type Loaded<E extends DatasetEntry> = Awaited<ReturnType<E["load"]>>;
