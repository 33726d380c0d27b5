import { join } from "node:path";
import type { ImageDataset, LoadOptions } from "./dataset.ts";
import { defineDataset, type SourceFile } from "./entry.ts";
import { findFolder, foldersFor } from "./files.ts";
import { idxFiles, loadIdxSet } from "./mnist-layout.ts";

/** Each root, and the folder within it into which torchvision downloads. */
const folders = (dir: string | undefined): string[] =>
  foldersFor("mnist", dir, []).flatMap((root) => [root, join(root, "MNIST", "raw")]);

const load = ({ dir }: LoadOptions): ImageDataset =>
  loadIdxSet({ name: "mnist", folders: folders(dir), mean: 0.1307, std: 0.3081 });

/** The mirror and the MD5 of each file are those of torchvision (datasets/mnist.py). */
const source = (name: string, md5: string): SourceFile => ({
  name,
  md5,
  url: `https://ossci-datasets.s3.amazonaws.com/mnist/${name}`,
});

/** LeCun, Cortes and Burges; a mirrored digit is none, so nothing is flipped. */
export const mnist = defineDataset({
  name: "mnist",
  summary: "60,000 + 10,000 grey images of handwritten digits, 28×28, 10 classes",
  load,
  find: (dir?: string) => findFolder(folders(dir), idxFiles),
  sources: [
    source("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    source("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
    source("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
    source("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
  ],
});
