import { findCifar, loadCifar } from "./cifar.ts";
import type { Dataset, LoadOptions } from "./dataset.ts";
import { findFashionMini, findFashionMnist, loadFashionMini, loadFashionMnist } from "./fashion.ts";
import { loadNpy } from "./npy.ts";
import { findSvhn, loadSvhn } from "./svhn.ts";
import { namesOf } from "../util/names.ts";

interface DatasetEntry {
  /** One line, for help texts. */
  readonly summary: string;
  load(options: LoadOptions): Dataset;
  /** The folder it would be loaded from; undefined where it is not to be found. */
  find(dir?: string): string | undefined;
}

/** The data sets that configurations and commands know by name; a new one is one entry. */
export const datasets = {
  "fashion-mini": {
    summary: "10,000 + 2,000 images of Fashion-MNIST, shipped with the package",
    load: loadFashionMini,
    find: findFashionMini,
  },
  "fashion-mnist": {
    summary: "60,000 + 10,000 grey images of clothing, 28×28, 10 classes",
    load: loadFashionMnist,
    find: findFashionMnist,
  },
  cifar10: {
    summary: "50,000 + 10,000 colour images, 32×32, 10 classes",
    load: loadCifar("cifar10"),
    find: findCifar("cifar10"),
  },
  cifar100: {
    summary: "50,000 + 10,000 colour images, 32×32, 100 classes",
    load: loadCifar("cifar100"),
    find: findCifar("cifar100"),
  },
  svhn: { summary: "73,257 + 26,032 house numbers, 32×32, 10 classes", load: loadSvhn, find: findSvhn },
  npy: { summary: "images and labels of your own, as .npy files", load: loadNpy, find: () => undefined },
} as const satisfies Readonly<Record<string, DatasetEntry>>;

export type DatasetName = keyof typeof datasets;

export const datasetNames = namesOf(datasets);

export const loadDataset = async (name: DatasetName, options: LoadOptions = {}): Promise<Dataset> =>
  datasets[name].load(options);
