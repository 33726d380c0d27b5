import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import { inPackage } from "../util/package.ts";
import type { Dataset, LoadOptions, Split } from "./dataset.ts";
import { findFolder, foldersFor, readMaybeGzip, requireFolder } from "./files.ts";
import { decodeIdx } from "./idx.ts";

const parts = { train: "train", test: "t10k" } as const;

const namesOf = (stem: string) => [`${stem}.gz`, stem];

/** The four files of MNIST's layout, each packed or not. */
export const idxFiles = Object.values(parts).flatMap((part) => [
  namesOf(`${part}-images-idx3-ubyte`),
  namesOf(`${part}-labels-idx1-ubyte`),
]);

/** Of pixels in 0…1, over the 60,000 training images. */
const MEAN = 0.286;
const STD = 0.353;
const CLASSES = 10;

/** Of the package dataset-fashion-mnist. Its files are packed anew, so only their contents are the published ones. */
export const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

const mnistFolders = (dir: string | undefined) => foldersFor("fashion-mnist", dir, [DEBIAN_FOLDER]);

const miniFolders = (dir: string | undefined) => (dir === undefined ? [fashionMiniFolder()] : [dir]);

export const findFashionMnist = (dir?: string) => findFolder(mnistFolders(dir), idxFiles);

export const findFashionMini = (dir?: string) => findFolder(miniFolders(dir), idxFiles);

export const loadFashionMnist = ({ dir }: LoadOptions): Dataset => load("fashion-mnist", mnistFolders(dir));

export const loadFashionMini = ({ dir }: LoadOptions): Dataset => load("fashion-mini", miniFolders(dir));

/** It comes with the package. */
export const fashionMiniFolder = (): string => inPackage("datasets/fashion-mini");

function load(name: string, folders: readonly string[]): Dataset {
  const folder = requireFolder(name, folders, idxFiles);
  const read = (part: string): Split => readPart(folder, part);
  const [train, test] = [read(parts.train), read(parts.test)];
  return { name, classes: CLASSES, imageShape: [1, 28, 28], mean: [MEAN], std: [STD], train, test };
}

function readPart(folder: string, part: string): Split {
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
  return { images: images.data, labels: checkedLabels(labels.data, CLASSES, labels.path), count };
}

/** Labels as 32-bit numbers, each below the number of classes. */
export function checkedLabels(labels: ArrayLike<number>, classes: number, source: string): Int32Array {
  const bad = Array.from(labels).findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (bad >= 0)
    throw new DataError(`${source}: label ${labels[bad]} of image ${bad}, expected 0 … ${classes - 1}`, {
      source,
      at: bad,
    });
  return Int32Array.from(labels);
}
