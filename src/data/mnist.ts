import { join } from "node:path";
import { sourcesAt } from "./entry.ts";
import { foldersFor } from "./files.ts";
import { idxDataset } from "./mnist-layout.ts";

/** LeCun, Cortes and Burges; a mirrored digit is none, so nothing is flipped. */
export const mnist = idxDataset({
  name: "mnist",
  summary: "60,000 + 10,000 grey images of handwritten digits, 28×28, 10 classes",
  // Each root, and the folder within it into which torchvision downloads.
  folders: (dir) => foldersFor("mnist", dir, []).flatMap((root) => [root, join(root, "MNIST", "raw")]),
  mean: 0.1307,
  std: 0.3081,
  // The mirror and the MD5 of each file are those of torchvision (datasets/mnist.py).
  sources: sourcesAt("https://ossci-datasets.s3.amazonaws.com/mnist", {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
  }),
});
