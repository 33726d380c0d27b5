import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../util/errors.ts";
import type { ImageDataset, LoadOptions, ImageSplit } from "./dataset.ts";
import { CROP_AND_FLIP, defineDataset, type SourceFile } from "./entry.ts";
import { findFolder, foldersFor, readBytes, readMaybeGzip, requireFolder } from "./files.ts";
import { checkedLabels } from "./labels.ts";
import { readTar } from "./tar.ts";

const PIXELS = 3 * 32 * 32;

interface Layout {
  readonly name: "cifar10" | "cifar100";
  readonly archive: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Bytes of labels before the pixels of an image; the last is the one that counts. */
  readonly labelBytes: number;
  readonly classes: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The binary version of https://www.cs.toronto.edu/~kriz/cifar.html; means and deviations over its training images. */
const layouts = {
  cifar10: {
    name: "cifar10",
    archive: "cifar-10-binary.tar.gz",
    folder: "cifar-10-batches-bin",
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: ["test_batch.bin"],
    labelBytes: 1,
    classes: 10,
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
  },
  cifar100: {
    name: "cifar100",
    archive: "cifar-100-binary.tar.gz",
    folder: "cifar-100-binary",
    train: ["train.bin"],
    test: ["test.bin"],
    labelBytes: 2,
    classes: 100,
    mean: [0.5071, 0.4865, 0.4409],
    std: [0.2673, 0.2564, 0.2762],
  },
} as const satisfies Readonly<Record<string, Layout>>;

/**
 * What the code of Luo et al. 2024 divides by. Of CIFAR-10, the means of the deviations of single images, which much code for CIFAR
 * has (kuangliu/pytorch-cifar). Of CIFAR-100, the usual four decimals of such code; they could not be read in theirs.
 */
const official = {
  cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  cifar100: { mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761] },
} as const;

/** Folders to look in, and for every file its name and that of the archive that holds it. */
function places({ name, folder, archive, train, test }: Layout, dir: string | undefined): [string[], string[][]] {
  const folders = foldersFor(name, dir, []).flatMap((root) => [root, join(root, folder)]);
  return [folders, [...train, ...test].map((file) => [archive, file])];
}

const findCifar = (name: keyof typeof layouts) => (dir?: string) => findFolder(...places(layouts[name], dir));

const loadCifar =
  (name: keyof typeof layouts) =>
  ({ dir }: LoadOptions): ImageDataset => {
    const layout: Layout = layouts[name];
    const folder = requireFolder(name, ...places(layout, dir));
    const archive = join(folder, layout.archive);
    const read = existsSync(archive) ? fromArchive(archive) : (file: string) => readBytes(join(folder, file));
    const part = (files: readonly string[]) => decodeCifar(files.map(read), layout, join(folder, files[0]!));
    const { classes, mean, std } = layout;
    return {
      name,
      targets: { kind: "labels", classes },
      inputShape: [3, 32, 32],
      mean,
      std,
      train: part(layout.train),
      test: part(layout.test),
    };
  };

function fromArchive(path: string): (file: string) => Uint8Array {
  const files = new Map([...readTar(readMaybeGzip(path), path)].map(([name, entry]) => [basename(name), entry]));
  return (file) => {
    const entry = files.get(file);
    if (entry === undefined) throw new DataError(`${path}: ${file} is not in it`, { path, file }, "fetch it again");
    if (entry === "link")
      throw new DataError(`${path}: ${file} is a link, and links are not followed`, { path, file }, "fetch it again");
    return entry;
  };
}

/** Records of label bytes and 3072 pixels, channel by channel. */
export function decodeCifar(
  files: readonly Uint8Array[],
  { labelBytes, classes }: Pick<Layout, "labelBytes" | "classes">,
  source: string,
): ImageSplit {
  const record = labelBytes + PIXELS;
  const odd = files.find((bytes) => bytes.length === 0 || bytes.length % record !== 0);
  if (odd)
    throw new DataError(
      `${source}: ${odd.length} bytes are no whole number of images of ${record}`,
      { source },
      "fetch it again",
    );
  const count = files.reduce((total, bytes) => total + bytes.length / record, 0);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const bytes of files)
    for (let from = 0; from < bytes.length; from += record, at++) {
      labels[at] = bytes[from + labelBytes - 1]!;
      images.set(bytes.subarray(from + labelBytes, from + record), at * PIXELS);
    }
  return { x: images, y: checkedLabels(labels, classes, source), count };
}

const source = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `https://www.cs.toronto.edu/~kriz/${name}`,
});

export const cifar10 = defineDataset({
  name: "cifar10",
  summary: "50,000 + 10,000 colour images, 32×32, 10 classes",
  augment: CROP_AND_FLIP,
  official: official.cifar10,
  load: loadCifar("cifar10"),
  find: findCifar("cifar10"),
  sources: [source(layouts.cifar10.archive, "c32a1d4ab5d03f1284b67883e8d87530")],
});

export const cifar100 = defineDataset({
  name: "cifar100",
  summary: "50,000 + 10,000 colour images, 32×32, 100 classes",
  augment: CROP_AND_FLIP,
  official: official.cifar100,
  load: loadCifar("cifar100"),
  find: findCifar("cifar100"),
  sources: [source(layouts.cifar100.archive, "03b5dce01913d631647c71ecec9e9cb8")],
});
