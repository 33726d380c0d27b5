import { ConfigError, DataError } from "../util/errors.ts";
import { decodeNpy } from "../util/npy.ts";
import type { ImageDataset, ImageSplit, LoadOptions } from "./dataset.ts";
import { defineDataset } from "./entry.ts";
import { checkedLabels } from "./fashion.ts";
import { readBytes } from "./files.ts";

/** Images and labels of the user: .npy files, images [n, C, H, W] as uint8 (normalized) or float32 (used as they are). */
export function loadNpy({ images, labels, testImages, testLabels }: LoadOptions): ImageDataset {
  const given = {
    "data.images": images,
    "data.labels": labels,
    "data.testImages": testImages,
    "data.testLabels": testLabels,
  };
  const missing = Object.entries(given).flatMap(([key, path]) => (path === undefined ? [key] : []));
  if (missing.length > 0)
    throw new ConfigError(
      `data.name=npy needs ${missing.join(", ")}`,
      { missing },
      "give the paths of four .npy files",
    );
  const [train, test] = [readPair(images!, labels!), readPair(testImages!, testLabels!)];
  const classes = 1 + Math.max(...[train, test].map(({ split }) => split.y.reduce((a, b) => Math.max(a, b), 0)));
  if (train.shape.join() !== test.shape.join() || train.pixels !== test.pixels)
    throw new DataError(
      `${testImages}: ${test.pixels} images [${test.shape.join(", ")}], the training images are ${train.pixels} [${train.shape.join(", ")}]`,
      { path: testImages },
    );
  const { mean, std } = train.pixels === "uint8" ? statistics(train.split, train.shape) : identity(train.shape[0]);
  return {
    name: "npy",
    targets: { kind: "labels", classes },
    inputShape: train.shape,
    mean,
    std,
    train: train.split,
    test: test.split,
  };
}

interface Pair {
  readonly split: ImageSplit;
  readonly shape: readonly [number, number, number];
  readonly pixels: "uint8" | "float32";
}

export function readPair(imagePath: string, labelPath: string): Pair {
  const images = decodeNpy(read(imagePath), imagePath);
  const labels = decodeNpy(read(labelPath), labelPath);
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  if (images.shape.length !== 4 || images.data.length === 0)
    throw new DataError(`${imagePath}: shape [${images.shape.join(", ")}], expected [n, C, H, W]`, { path: imagePath });
  if (!(images.data instanceof Uint8Array || images.data instanceof Float32Array))
    throw new DataError(
      `${imagePath}: ${images.data.constructor.name}, expected uint8 or float32`,
      { path: imagePath },
      "x.astype('float32')",
    );
  const bad = images.data instanceof Float32Array ? images.data.findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad >= 0)
    throw new DataError(`${imagePath}: element ${bad} is ${images.data[bad]}`, { path: imagePath, at: bad });
  if (labels.shape.length !== 1 || labels.shape[0] !== count)
    throw new DataError(`${labelPath}: shape [${labels.shape.join(", ")}], expected [${count}]`, { path: labelPath });
  const split = { x: images.data, y: checkedLabels(labels.data, MOST_CLASSES, labelPath), count };
  return { split, shape: [channels, height, width], pixels: images.data instanceof Uint8Array ? "uint8" : "float32" };
}

/** More than any classifier here is made for; a label beyond is a mistake, and would size the last layer. */
const MOST_CLASSES = 100_000;

const read = (path: string): Uint8Array => readBytes(path, "give the path of a .npy file");

const identity = (channels: number) => ({
  mean: new Array<number>(channels).fill(0),
  std: new Array<number>(channels).fill(1),
});

/** Mean and standard deviation per channel, of pixels in 0…1. */
export function statistics(
  { x: images, count }: ImageSplit,
  [channels, height, width]: readonly [number, number, number],
) {
  const plane = height * width;
  const perChannel = Array.from({ length: channels }, (_, c) => {
    let [total, squares] = [0, 0];
    for (let i = 0; i < count; i++)
      for (let at = (i * channels + c) * plane, end = at + plane; at < end; at++) {
        const value = images[at]! / 255;
        total += value;
        squares += value * value;
      }
    const mean = total / (count * plane);
    return { mean, std: Math.sqrt(Math.max(1e-12, squares / (count * plane) - mean * mean)) };
  });
  return { mean: perChannel.map(({ mean }) => mean), std: perChannel.map(({ std }) => std) };
}

export const npy = defineDataset({
  name: "npy",
  summary: "images and labels of your own, as .npy files",
  load: loadNpy,
});
