import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import type { ImageDataset, LoadOptions, ImageSplit } from "./dataset.ts";
import { defineDataset, sourcesAt } from "./entry.ts";
import { findFolder, foldersFor, readBytes, requireFolder } from "./files.ts";
import { checkedLabels } from "./labels.ts";
import { readMat5 } from "./mat5.ts";

export const svhnFiles = ["train_32x32.mat", "test_32x32.mat"] as const;

const folders = (dir: string | undefined) => foldersFor("svhn", dir, []);
const needed = svhnFiles.map((file) => [file]);

const findSvhn = (dir?: string) => findFolder(folders(dir), needed);

/** Street View House Numbers, cropped digits (http://ufldl.stanford.edu/housenumbers). */
function loadSvhn({ dir }: LoadOptions): ImageDataset {
  const folder = requireFolder("svhn", folders(dir), needed);
  const [train, test] = svhnFiles.map((file) => decodeSvhn(readBytes(join(folder, file)), join(folder, file)));
  return {
    name: "svhn",
    targets: { kind: "labels", classes: 10 },
    inputShape: [3, 32, 32],
    mean: [0.4377, 0.4438, 0.4728],
    std: [0.198, 0.201, 0.197],
    train: train!,
    test: test!,
  };
}

/** X [32, 32, 3, n], first axis fastest, to [n, 3, 32, 32]; y [n, 1], where 10 stands for the digit 0. */
export function decodeSvhn(bytes: Uint8Array, source: string): ImageSplit {
  const arrays = readMat5(bytes, source);
  const [X, y] = [arrays.get("X"), arrays.get("y")];
  if (X === undefined || y === undefined)
    throw new DataError(`${source}: X or y is missing; there are ${[...arrays.keys()].join(", ") || "no arrays"}`, {
      source,
    });
  // MATLAB leaves out a last axis of one.
  const count = X.shape[3] ?? 1;
  if (
    X.shape.slice(0, 3).join() !== "32,32,3" ||
    X.shape.length > 4 ||
    !(X.data instanceof Uint8Array) ||
    y.data.length !== count
  )
    throw new DataError(
      `${source}: X is [${X.shape.join(", ")}] and y has ${y.data.length} labels, expected bytes [32, 32, 3, n] and n labels`,
      { source },
    );
  const images = new Uint8Array(X.data.length);
  const plane = 32 * 32;
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++)
      for (let column = 0; column < 32; column++)
        for (let row = 0; row < 32; row++)
          images[(i * 3 + c) * plane + row * 32 + column] = X.data[row + 32 * column + plane * (c + 3 * i)]!;
  const zero = y.data.indexOf(0);
  if (zero >= 0) throw new DataError(`${source}: label 0 of image ${zero}, expected 1 … 10`, { source, at: zero });
  const labels = Array.from(y.data, (label) => (label === 10 ? 0 : label));
  return { x: images, y: checkedLabels(labels, 10, source), count };
}

export const svhn = defineDataset({
  name: "svhn",
  summary: "73,257 + 26,032 house numbers, 32×32, 10 classes",
  load: loadSvhn,
  find: findSvhn,
  sources: sourcesAt("http://ufldl.stanford.edu/housenumbers", {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
  }),
});
