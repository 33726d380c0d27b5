import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import { showShape } from "../util/shape.ts";
import { isSystemError, reasonOf } from "../util/system-errors.ts";
import type { Dataset, ImageSplit, LoadOptions } from "./dataset.ts";
import { defineDataset } from "./entry.ts";
import { isImageName, readImageFile } from "./image-file.ts";
import { squareOf } from "./image-resize.ts";
import { statistics } from "./npy.ts";
import type { Picture } from "./picture.ts";

type ImageShape = readonly [channels: number, height: number, width: number];

/** Throws where the settings name no folder. */
function given(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new ConfigError(
    "data.name=folder needs data.path",
    { key: "data.path" },
    "the folder that holds train/CLASS/*.png (or .jpg), and perhaps test/CLASS/*",
  );
}

/** What a folder holds, sorted by name as Python sorts; hidden things are left out. */
function entriesOf(folder: string): { readonly name: string; readonly path: string; readonly isFolder: boolean }[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort()
      .map((name) => ({ name, path: join(folder, name), isFolder: statSync(join(folder, name)).isDirectory() }));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new DataError(
      `${folder} cannot be read: ${reasonOf(error).why}`,
      { folder },
      "images are read from data.path/train/CLASS/*.png (or .jpg), and data.path/test/CLASS/*",
    );
  }
}

/** The image files of a folder and of those in it, sorted by path from folder to folder. */
export const imagesIn = (folder: string): string[] =>
  entriesOf(folder).flatMap(({ path, isFolder }) => (isFolder ? imagesIn(path) : isImageName(path) ? [path] : []));

/** The names of the folders in one, which are classes; the rule of torchvision's ImageFolder. */
function classesIn(folder: string): string[] {
  const names = entriesOf(folder).flatMap(({ name, isFolder }) => (isFolder ? [name] : []));
  if (names.length > 0) return names;
  throw new DataError(
    `${folder}: no folders in it, expected one for each class`,
    { folder },
    `put the images of class cat into ${join(folder, "cat")}, and so on`,
  );
}

/** The pictures of files, squares of `size` if it is given. */
export async function readPictures(paths: readonly string[], size: number | undefined): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const path of paths) {
    const picture = await readImageFile(path);
    pictures.push(size === undefined ? picture : squareOf(picture, size, path));
  }
  return pictures;
}

/**
 * Pictures as [count, C, H, W]. They have the shape that is given; else of the first, with three channels if one of them is in colour,
 * and grey ones are repeated in each, as by Pillow's `convert("RGB")`.
 * @throws DataError where one has another shape
 */
export function stacked(paths: readonly string[], pictures: readonly Picture[], known?: ImageShape) {
  const [first] = pictures;
  const [channels, height, width]: ImageShape = known ?? [
    pictures.reduce((most, { channels }) => Math.max(most, channels), 1),
    first!.height,
    first!.width,
  ];
  const odd = pictures.findIndex((own) => own.height !== height || own.width !== width || own.channels > channels);
  if (odd >= 0) {
    const own = pictures[odd]!;
    const path = paths[odd]!;
    const others = known ? "the network or the training images are" : `${paths[0]} is`;
    throw new DataError(
      `${path}: an image ${showShape([own.channels, own.height, own.width])}, ${others} ${showShape([channels, height, width])}`,
      { path, width: own.width, height: own.height, channels: own.channels },
      own.height === height && own.width === width
        ? "a network for grey images takes no colour: save it in grey"
        : "data.size=N brings all images to N × N pixels",
    );
  }
  const plane = height * width;
  const x = new Uint8Array(pictures.length * channels * plane);
  for (const [i, { data, channels: own }] of pictures.entries())
    for (let c = 0; c < channels; c++)
      for (let p = 0, to = (i * channels + c) * plane; p < plane; p++) x[to + p] = data[p * own + (own === 1 ? 0 : c)]!;
  return { x, shape: [channels, height, width] as const };
}

async function partOf(
  folder: string,
  classNames: readonly string[],
  size: number | undefined,
  known?: ImageShape,
): Promise<{ readonly split: ImageSplit; readonly shape: ImageShape }> {
  const files = classesIn(folder).flatMap((name) => {
    const label = classNames.indexOf(name);
    if (label < 0)
      throw new DataError(
        `${folder}: a class ${excerpt(name)}, which no training image has`,
        { folder, name },
        `the classes are ${excerpt(classNames.join(", "), 200)}`,
      );
    const images = imagesIn(join(folder, name));
    if (images.length === 0)
      throw new DataError(
        `${join(folder, name)}: no images in it`,
        { folder, name },
        "a class has files .png, .jpg or .jpeg; a folder that is no class must lie elsewhere",
      );
    return images.map((path) => ({ path, label }));
  });
  const paths = files.map(({ path }) => path);
  const { x, shape } = stacked(paths, await readPictures(paths, size), known);
  return { split: { x, y: Int32Array.from(files, ({ label }) => label), count: files.length }, shape };
}

/** Images of the user in folders by class. The training images decide on classes, channels and normalization. */
export async function loadFolder({ path, size }: LoadOptions): Promise<Dataset> {
  const [trainFolder, testFolder] = [join(given(path), "train"), join(given(path), "test")];
  const classNames = classesIn(trainFolder);
  if (classNames.length < 2)
    throw new DataError(
      `${trainFolder}: one class alone, ${excerpt(classNames[0]!)}`,
      { folder: trainFolder },
      "a classifier tells two or more apart: give a folder to each",
    );
  const train = await partOf(trainFolder, classNames, size);
  const test = existsSync(testFolder) ? await partOf(testFolder, classNames, size, train.shape) : undefined;
  return {
    ...{ name: "folder", inputShape: train.shape, targets: { kind: "labels", classes: classNames.length }, classNames },
    ...statistics(train.split, train.shape),
    train: train.split,
    ...(test === undefined ? {} : { test: test.split }),
  };
}

export const folder = defineDataset({
  name: "folder",
  summary: "images of your own in a folder per class, as .png and .jpg files",
  load: loadFolder,
  part: async ({ path, size }, part, { classNames, inputShape }) => {
    if (classNames === undefined || inputShape.length !== 3) return undefined;
    const [channels = 1, height = 1, width = 1] = inputShape;
    const { split, shape } = await partOf(join(given(path), part), classNames, size, [channels, height, width]);
    return { split, inputShape: shape };
  },
});
