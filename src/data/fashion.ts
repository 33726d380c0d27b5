import { inPackage } from "../util/package.ts";
import type { ImageDataset, LoadOptions } from "./dataset.ts";
import { CROP_AND_FLIP, defineDataset, type SourceFile } from "./entry.ts";
import { findFolder, foldersFor } from "./files.ts";
import { idxFiles, loadIdxSet } from "./mnist-layout.ts";

/** Mean and deviation of pixels in 0…1, over the 60,000 training images. */
const STATISTICS = { mean: 0.286, std: 0.353 } as const;

/** Folder of the package dataset-fashion-mnist. Its files are compressed anew, so only their contents are the published ones. */
export const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

const mnistFolders = (dir: string | undefined) => foldersFor("fashion-mnist", dir, [DEBIAN_FOLDER]);

const miniFolders = (dir: string | undefined) => (dir === undefined ? [fashionMiniFolder()] : [dir]);

const findFashionMnist = (dir?: string) => findFolder(mnistFolders(dir), idxFiles);

const findFashionMini = (dir?: string) => findFolder(miniFolders(dir), idxFiles);

const loadFashionMnist = ({ dir }: LoadOptions): ImageDataset =>
  loadIdxSet({ name: "fashion-mnist", folders: mnistFolders(dir), ...STATISTICS });

const loadFashionMini = ({ dir }: LoadOptions): ImageDataset =>
  loadIdxSet({ name: "fashion-mini", folders: miniFolders(dir), ...STATISTICS });

/** It comes with the package. */
export const fashionMiniFolder = (): string => inPackage("datasets/fashion-mini");

const source = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/${name}`,
});

export const fashionMini = defineDataset({
  name: "fashion-mini",
  summary: "10,000 + 2,000 images of Fashion-MNIST, shipped with the package",
  augment: CROP_AND_FLIP,
  load: loadFashionMini,
  find: findFashionMini,
});

export const fashionMnist = defineDataset({
  name: "fashion-mnist",
  summary: "60,000 + 10,000 grey images of clothing, 28×28, 10 classes",
  augment: CROP_AND_FLIP,
  load: loadFashionMnist,
  find: findFashionMnist,
  sources: [
    source("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    source("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
    source("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
    source("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
  ],
});
