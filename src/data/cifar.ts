import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../util/errors.ts";
import type { Dataset, ImageDataset, ImageSplit } from "./dataset.ts";
import { CROP_AND_FLIP, type DatasetEntry, defineDataset, sourcesAt } from "./entry.ts";
import { findFolder, foldersFor, readBytes, readMaybeGzip, requireFolder } from "./files.ts";
import { checkedLabels } from "./labels.ts";
import { readTar } from "./tar.ts";

/** Names of classes, as batches.meta.txt and fine_label_names.txt of the archives have them. */
const words = (text: string): readonly string[] => text.split(/\s+/);

const PIXELS = 3 * 32 * 32;

interface Layout {
  readonly name: "cifar10" | "cifar100";
  readonly archive: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Bytes of labels before the pixels of an image; the last is the one that counts. */
  readonly labelBytes: number;
  /** By label. */
  readonly classNames: readonly string[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /**
   * What the code of Luo et al. 2024 divides by. Of CIFAR-10, the means of the deviations of single images, which much code for CIFAR
   * has (kuangliu/pytorch-cifar). Of CIFAR-100, the usual four decimals of such code; they could not be read in theirs.
   */
  readonly official: Pick<Dataset, "mean" | "std">;
  readonly md5: string;
}

/** A set in the binary version of https://www.cs.toronto.edu/~kriz/cifar.html; means and deviations are over its training images. */
function cifar(layout: Layout): DatasetEntry<ImageDataset> {
  const { name, archive, train, test, classNames, mean, std, official, md5 } = layout;
  const classes = classNames.length;
  const folders = (dir?: string) => foldersFor(name, dir, []).flatMap((root) => [root, join(root, layout.folder)]);
  /** For every file its name and that of the archive that holds it. */
  const files = [...train, ...test].map((file) => [archive, file]);
  return defineDataset({
    name,
    summary: `50,000 + 10,000 colour images, 32×32, ${classes} classes`,
    augment: CROP_AND_FLIP,
    official,
    load: ({ dir }) => {
      const folder = requireFolder(name, folders(dir), files);
      const packed = join(folder, archive);
      const read = existsSync(packed) ? fromArchive(packed) : (file: string) => readBytes(join(folder, file));
      const part = (names: readonly string[]) =>
        decodeCifar(names.map(read), { ...layout, classes }, join(folder, names[0]!));
      return {
        name,
        targets: { kind: "labels", classes },
        classNames,
        inputShape: [3, 32, 32],
        mean,
        std,
        train: part(train),
        test: part(test),
      };
    },
    find: (dir) => findFolder(folders(dir), files),
    sources: sourcesAt("https://www.cs.toronto.edu/~kriz", { [archive]: md5 }),
  });
}

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
  { labelBytes, classes }: Pick<Layout, "labelBytes"> & { readonly classes: number },
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

export const cifar10 = cifar({
  name: "cifar10",
  archive: "cifar-10-binary.tar.gz",
  folder: "cifar-10-batches-bin",
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ["test_batch.bin"],
  labelBytes: 1,
  classNames: words("airplane automobile bird cat deer dog frog horse ship truck"),
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
  official: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  md5: "c32a1d4ab5d03f1284b67883e8d87530",
});

export const cifar100 = cifar({
  name: "cifar100",
  archive: "cifar-100-binary.tar.gz",
  folder: "cifar-100-binary",
  train: ["train.bin"],
  test: ["test.bin"],
  labelBytes: 2,
  classNames:
    words(`apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl
    hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree
    orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
    seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm`),
  mean: [0.5071, 0.4865, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
  official: { mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761] },
  md5: "03b5dce01913d631647c71ecec9e9cb8",
});
