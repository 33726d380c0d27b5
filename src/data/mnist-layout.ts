import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import type { ImageDataset, ImageSplit } from "./dataset.ts";
import { type DatasetEntry, defineDataset } from "./entry.ts";
import { findFolder, readMaybeGzip, requireFolder } from "./files.ts";
import { decodeIdx } from "./idx.ts";
import { checkedLabels } from "./labels.ts";

const parts = { train: "train", test: "t10k" } as const;

const namesOf = (stem: string) => [`${stem}.gz`, stem];

/** The four files of MNIST's layout, each packed or not. */
const idxFiles = Object.values(parts).flatMap((part) => [
  namesOf(`${part}-images-idx3-ubyte`),
  namesOf(`${part}-labels-idx1-ubyte`),
]);

const CLASSES = 10;

interface IdxSet extends Pick<DatasetEntry, "name" | "summary" | "augment" | "sources"> {
  /** By label; left out for digits. */
  readonly classNames?: readonly string[];
  /** Looked in, in this order. */
  folders(dir: string | undefined): readonly string[];
  /** Of pixels in 0…1, over the training images. */
  readonly mean: number;
  readonly std: number;
}

/** A data set of grey images of 28×28 in ten classes, read from the first folder that has all four files. DataError where none has, or one is damaged. */
export const idxDataset = ({ folders, mean, std, classNames, ...entry }: IdxSet): DatasetEntry<ImageDataset> =>
  defineDataset({
    ...entry,
    load: ({ dir }) => {
      const folder = requireFolder(entry.name, folders(dir), idxFiles);
      return {
        name: entry.name,
        targets: { kind: "labels", classes: CLASSES },
        classNames,
        inputShape: [1, 28, 28],
        mean: [mean],
        std: [std],
        train: readPart(folder, parts.train),
        test: readPart(folder, parts.test),
      };
    },
    find: (dir) => findFolder(folders(dir), idxFiles),
  });

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
    throw new DataError(
      `${labels.path}: ${labels.shape[0]} labels for ${count} images`,
      { path: labels.path },
      "are both files of one part, as published?",
    );
  return { x: images.data, y: checkedLabels(labels.data, CLASSES, labels.path), count };
}
