import { statSync } from "node:fs";
import { FINITE, readBytes } from "../data/files.ts";
import { readCsv } from "../data/csv-file.ts";
import type { Inputs } from "../data/dataset.ts";
import { imagesIn, readPictures, stacked } from "../data/folder.ts";
import { isImageName } from "../data/image-file.ts";
import { readImages as readArrayOfImages } from "../data/npy.ts";
import { inputsOf } from "../data/table.ts";
import { losses } from "../nn/losses.ts";
import { ConfigError, DataError, InputError } from "../util/errors.ts";
import { decodeNpy } from "../util/npy.ts";
import { showShape } from "../util/shape.ts";
import { createEvaluator } from "./evaluate.ts";
import { formatOfWeights, type SavedWeights } from "./examples.ts";
import { builtIn, type Registry } from "./registry.ts";
import { loadModel } from "./restore.ts";
import { compileOptions } from "./session.ts";
import type { Format } from "./task.ts";

/** What a network says of the examples of a file, a row each. */
export interface FilePrediction {
  /** Its path; of images the folder, or the only one. */
  readonly file: string;
  /** Of images, the path of each. */
  readonly images?: readonly string[];
  readonly count: number;
  /** Numbers per row: probabilities of the classes, or values. */
  readonly width: number;
  /** [count, width]; real values in the unit of the table that was trained on. */
  readonly data: Float64Array;
  /** Of classes, the names; undefined for real values. */
  readonly classNames: readonly string[] | undefined;
}

/**
 * Predictions for rows of .csv files where the run was trained on a table, else for the examples of .npy files and for images in .png
 * and .jpg files or folders of them, as they were given; images in one go for each batch.
 * @throws ConfigError where the network gives something other than a class or values for each example
 * @throws DataError where a file does not fit the network
 */
export async function* predictFiles(
  saved: SavedWeights,
  files: readonly string[],
  registry: Registry = builtIn,
): AsyncGenerator<FilePrediction> {
  const known = await formatOfWeights(saved, registry);
  const { targets, table, classNames } = known;
  const classes = targets.kind === "labels" ? targets.classes : undefined;
  for await (const { file, images, x, count, dtype } of examplesIn(files, known, saved)) {
    const { task, weights } = loadModel(saved, { ...known, dtype }, saved.config.data.batch, registry);
    if (targets.kind === "labels" && (targets.shape !== undefined || task.loss.name !== losses["cross-entropy"].name))
      throw new ConfigError(
        `${saved.path} was trained with loss ${task.loss.name}${targets.shape ? " on several labels per example" : ""}, so it gives no probability of each class`,
        { loss: task.loss.name },
        "loadRun(dir) and predict from code give what it gives",
      );
    const evaluator = createEvaluator(task, saved.config.data.batch, compileOptions(saved.config));
    const raw = await evaluator.predict(weights, x, count);
    await evaluator.release();
    const width = raw.length / count;
    const bad = raw.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw unusable(images?.[Math.floor(bad / width)] ?? file, raw[bad]!, images ? 1 : 1 + Math.floor(bad / width));
    const { mean = 0, std = 1 } = table?.target ?? {};
    yield {
      ...(images ? { images } : {}),
      ...{ file, count, width, data: Float64Array.from(raw, (value) => value * std + mean) },
      classNames:
        classes === undefined ? undefined : Array.from({ length: width }, (_, i) => classNames?.[i] ?? `${i}`),
    };
  }
}

const unusable = (file: string, value: number, row: number): InputError =>
  new InputError(
    `${file}: the network gives ${value} for row ${row}`,
    { file, row },
    "are its values in the units of the training examples?",
  );

interface FileExamples extends Pick<FilePrediction, "file" | "images" | "count"> {
  readonly x: Inputs;
  readonly dtype: Format["dtype"];
}

/** The examples of each file, as the network reads them. */
async function* examplesIn(
  files: readonly string[],
  format: Format,
  saved: SavedWeights,
): AsyncGenerator<FileExamples> {
  const { data } = saved.config;
  let waiting: string[] = [];
  for (const [i, file] of files.entries()) {
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isFolder && !isImageName(file)) {
      yield { file, ...readExamples(file, format, saved) };
      continue;
    }
    const found = isFolder ? imagesIn(file) : [file];
    if (found.length === 0) throw new DataError(`${file}: no images in it`, { file }, "give .png or .jpg files");
    waiting.push(...found);
    const next = files[i + 1];
    // Single images that follow each other make batches together.
    if (!isFolder && next !== undefined && isImageName(next)) continue;
    for (let at = 0; at < waiting.length; at += data.batch) {
      const images = waiting.slice(at, at + data.batch);
      yield { file: isFolder ? file : images[0]!, images, ...(await readImages(images, format, saved)) };
    }
    waiting = [];
  }
}

async function readImages(
  paths: readonly string[],
  { inputShape, table, dtype }: Format,
  { config, path }: SavedWeights,
): Promise<Omit<FileExamples, "file">> {
  const [channels, height, width] = inputShape;
  if (table || dtype !== "u8" || inputShape.length !== 3)
    throw new DataError(
      `${paths[0]}: an image, but ${path} was not trained on uint8 images`,
      { file: paths[0], path },
      table ? "give .csv files" : "give .npy files",
    );
  // A network that was trained on other images has none but its input's size.
  const square = height === width ? height : undefined;
  const size = config.data.name === "folder" ? config.data.size : square;
  const pictures = await readPictures(paths, size);
  return { ...stacked(paths, pictures, [channels!, height!, width!]), count: paths.length, dtype };
}

/** The examples of a file as the network reads them; what they were trained as decides how. */
function readExamples(
  file: string,
  format: Format,
  { config, path }: SavedWeights,
): { readonly x: Inputs; readonly count: number; readonly dtype: Format["dtype"] } {
  const { inputShape, table, dtype } = format;
  const isTable = /\.csv(\.gz)?$/i.test(file);
  if (isTable !== (table !== undefined))
    throw new DataError(
      `${file}: ${path} was trained on ${table ? "a table" : "arrays"}`,
      { file },
      table ? "give .csv files" : "give .npy files, or images as .png and .jpg files",
    );
  if (table) {
    const rows = readCsv(file);
    return { x: inputsOf(rows, table), count: rows.rows.length, dtype };
  }
  const { x, shape, count } = inputShape.length === 3 ? readArrayOfImages(file, config.data.layout) : readArray(file);
  const given = x instanceof Uint8Array ? "u8" : x instanceof Int32Array ? "i32" : "f32";
  if (shape.join() !== inputShape.join())
    throw new DataError(
      `${file}: examples ${showShape(shape)}, but the network of ${path} takes ${showShape(inputShape)}`,
      { file, shape },
      "the first axis counts the examples",
    );
  // Real numbers are used as they are, so they may stand for pixels that the caller has normalized.
  if (given !== dtype && !(dtype === "u8" && given === "f32"))
    throw new DataError(
      `${file}: examples of type ${TYPES[given]}, but the network of ${path} was trained on ${TYPES[dtype]}`,
      { file },
      `give x.astype('${TYPES[dtype]}')`,
    );
  return { x, count, dtype: given };
}

const TYPES = { u8: "uint8", f32: "float32", i32: "int32" } as const;

function readArray(file: string) {
  const { data, shape, type } = decodeNpy(readBytes(file, "give the path of a .npy file"), file);
  const [count = 0, ...rest] = shape;
  if (count === 0) throw new DataError(`${file}: shape ${showShape(shape)} holds no examples`, { file, shape });
  if (data instanceof Float64Array)
    throw new DataError(`${file}: ${type}, expected float32`, { file, type }, "give x.astype('float32')");
  const bad = data instanceof Float32Array ? data.findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad >= 0) throw new DataError(`${file}: element ${bad} is ${data[bad]}`, { file, at: bad }, FINITE);
  return { x: data, shape: rest, count };
}
