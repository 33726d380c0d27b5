import { ConfigError, DataError } from "../util/errors.ts";
import { decodeNpy } from "../util/npy.ts";
import type { ImageDataset, ImageSplit, LoadOptions } from "./dataset.ts";
import { defineDataset } from "./entry.ts";
import { FINITE, readBytes } from "./files.ts";
import { asNchw, type ImageLayout } from "./image-layout.ts";
import { classesOf, readLabels } from "./labels.ts";

/** Images and labels of the user: .npy files, images [n, C, H, W] or [n, H, W], uint8 (normalized) or float32 (used as they are). */
export function loadNpy({ images, labels, testImages, testLabels, layout }: LoadOptions): ImageDataset {
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
  const [train, test] = [readPair(images!, labels!, layout), readPair(testImages!, testLabels!, layout)];
  if (train.shape.join() !== test.shape.join() || train.pixels !== test.pixels)
    throw new DataError(
      `${testImages}: ${test.pixels} images [${test.shape.join(", ")}], the training images are ${train.pixels} [${train.shape.join(", ")}]`,
      { path: testImages },
    );
  const { mean, std } = train.pixels === "uint8" ? statistics(train.split, train.shape) : identity(train.shape[0]);
  return {
    name: "npy",
    targets: { kind: "labels", classes: classesOf(train.split.y, test.split.y, testLabels!) },
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

/** One array of images and one of their labels. */
export function readPair(imagePath: string, labelPath: string, layout?: ImageLayout): Pair {
  const { x, count, shape, pixels } = readImages(imagePath, layout);
  return { split: { x, y: readLabels(labelPath, count), count }, shape, pixels };
}

/** One array of images, as [count, C, H, W]. */
export function readImages(imagePath: string, layout?: ImageLayout) {
  const { data, shape: given, type } = decodeNpy(readBytes(imagePath, "give the path of a .npy file"), imagePath);
  if (!(type === "uint8" || data instanceof Float32Array))
    throw new DataError(
      `${imagePath}: ${type}, expected uint8 or float32`,
      { path: imagePath, type },
      "uint8 are pixels 0 … 255, and are normalized; x.astype('float32') is used as it is",
    );
  const images = data as Uint8Array | Float32Array;
  const bad = images instanceof Float32Array ? images.findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad >= 0)
    throw new DataError(`${imagePath}: element ${bad} is ${images[bad]}`, { path: imagePath, at: bad }, FINITE);
  const { x, shape } = asNchw(images, given, imagePath, layout);
  const [count, ...rest] = shape;
  return { x, count, shape: rest, pixels: images instanceof Uint8Array ? "uint8" : "float32" } as const;
}

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
  part: ({ images, labels, testImages, testLabels, layout }, part) => {
    const [x, y] = part === "train" ? [images, labels] : [testImages, testLabels];
    const keys = part === "train" ? "data.images and data.labels" : "data.testImages and data.testLabels";
    if (x === undefined || y === undefined)
      throw new ConfigError(`data.name=npy needs ${keys}`, { part }, "give the paths of two .npy files");
    const { split, shape } = readPair(x, y, layout);
    return { split, inputShape: shape };
  },
});
