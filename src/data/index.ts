import type { Dataset, LoadOptions } from "./dataset.ts";
import { loadFashionMini, loadFashionMnist } from "./fashion.ts";

interface DatasetEntry {
  /** One line, for help texts. */
  readonly summary: string;
  load(options: LoadOptions): Dataset;
}

/** The data sets that configurations and commands know by name; a new one is one entry. */
export const datasets = {
  "fashion-mini": {
    summary: "10,000 + 2,000 images of Fashion-MNIST, shipped with the package",
    load: loadFashionMini,
  },
  "fashion-mnist": { summary: "60,000 + 10,000 grey images of clothing, 28×28, 10 classes", load: loadFashionMnist },
} as const satisfies Readonly<Record<string, DatasetEntry>>;

export type DatasetName = keyof typeof datasets;

export const datasetNames = Object.keys(datasets) as readonly DatasetName[];

export const loadDataset = async (name: DatasetName, options: LoadOptions = {}): Promise<Dataset> =>
  datasets[name].load(options);
