import { inPackage } from "../util/package.ts";
import { CROP_AND_FLIP, sourcesAt } from "./entry.ts";
import { foldersFor } from "./files.ts";
import { idxDataset } from "./mnist-layout.ts";

/** Mean and deviation of pixels in 0…1, over the 60,000 training images. */
const STATISTICS = { mean: 0.286, std: 0.353 } as const;

/** By label, as its authors name them (Xiao et al. 2017, table 2). */
const classNames = [
  ...["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"],
  ...["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
];

/** Folder of the package dataset-fashion-mnist. Its files are compressed anew, so only their contents are the published ones. */
export const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

/** It comes with the package. */
export const fashionMiniFolder = (): string => inPackage("datasets/fashion-mini");

export const fashionMini = idxDataset({
  name: "fashion-mini",
  summary: "10,000 + 2,000 images of Fashion-MNIST, shipped with the package",
  augment: CROP_AND_FLIP,
  folders: (dir = fashionMiniFolder()) => [dir],
  classNames,
  ...STATISTICS,
});

export const fashionMnist = idxDataset({
  name: "fashion-mnist",
  summary: "60,000 + 10,000 grey images of clothing, 28×28, 10 classes",
  augment: CROP_AND_FLIP,
  folders: (dir) => foldersFor("fashion-mnist", dir, [DEBIAN_FOLDER]),
  classNames,
  ...STATISTICS,
  sources: sourcesAt("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion", {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
  }),
});
