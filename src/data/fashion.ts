import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import { inPackage } from "../util/package.ts";
import type { ImageDataset, LoadOptions, ImageSplit } from "./dataset.ts";
import { CROP_AND_FLIP, defineDataset, type SourceFile } from "./entry.ts";
import { findFolder, foldersFor, readMaybeGzip, requireFolder } from "./files.ts";
import { decodeIdx } from "./idx.ts";
import { checkedLabels } from "./labels.ts";

const parts = { train: "train", test: "t10k" } as const;

const namesOf = (stem: string) => [`${stem}.gz`, stem];

/** The four files of MNIST's layout, each packed or not. */
export const idxFiles = Object.values(parts).flatMap((part) => [
  namesOf(`${part}-images-idx3-ubyte`),
  namesOf(`${part}-labels-idx1-ubyte`),
]);

/** Mean and deviation of pixels in 0…1, over the 60,000 training images. */
const MEAN = 0.286;
const STD = 0.353;
const CLASSES = 10;

/** Folder of the package dataset-fashion-mnist. Its files are compressed anew, so only their contents are the published ones. */
export const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

const mnistFolders = (dir: string | undefined) => foldersFor("fashion-mnist", dir, [DEBIAN_FOLDER]);

const miniFolders = (dir: string | undefined) => (dir === undefined ? [fashionMiniFolder()] : [dir]);

const findFashionMnist = (dir?: string) => findFolder(mnistFolders(dir), idxFiles);

const findFashionMini = (dir?: string) => findFolder(miniFolders(dir), idxFiles);

const loadFashionMnist = ({ dir }: LoadOptions): ImageDataset => load("fashion-mnist", mnistFolders(dir));

const loadFashionMini = ({ dir }: LoadOptions): ImageDataset => load("fashion-mini", miniFolders(dir));

/** It comes with the package. */
export const fashionMiniFolder = (): string => inPackage("datasets/fashion-mini");

function load(name: string, folders: readonly string[]): ImageDataset {
  const folder = requireFolder(name, folders, idxFiles);
  const read = (part: string): ImageSplit => readPart(folder, part);
  const [train, test] = [read(parts.train), read(parts.test)];
  return {
    name,
    targets: { kind: "labels", classes: CLASSES },
    inputShape: [1, 28, 28],
    mean: [MEAN],
    std: [STD],
    train,
    test,
  };
}

function readPart(folder: string, part: string): ImageSplit {
  const open = (stem: string, rank: number) => {
    const path = join(folder, namesOf(stem).find((name) => existsSync(join(folder, name)))!);
    return { path, ...decodeIdx(readMaybeGzip(path), path, rank) };
  };
  const images = open(`${part}-images-idx3-ubyte`, 3);
  const labels = open(`${part}-labels-idx1-ubyte`, 1);
  const [count, height, width] = images.shape as [number, number, number];
  if (height !== 28 || width !== 28)
    throw new DataError(`${images.path}: images of ${height}×${width}, expected 28×28`, { path: images.path });
  if (labels.shape[0] !== count)
    throw new DataError(`${labels.path}: ${labels.shape[0]} labels for ${count} images`, { path: labels.path });
  return { x: images.data, y: checkedLabels(labels.data, CLASSES, labels.path), count };
}

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
