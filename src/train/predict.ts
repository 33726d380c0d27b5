import { readBytes } from "../data/files.ts";
import { readCsv } from "../data/csv-file.ts";
import type { Inputs } from "../data/dataset.ts";
import { readImages } from "../data/npy.ts";
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
  readonly file: string;
  readonly count: number;
  /** Numbers per row: probabilities of the classes, or values. */
  readonly width: number;
  /** [count, width]; real values in the unit of the table that was trained on. */
  readonly data: Float64Array;
  /** Of classes, the names; undefined for real values. */
  readonly classNames: readonly string[] | undefined;
}

/**
 * Predictions for rows of .csv files where the run was trained on a table, else for the examples of .npy files, file by file.
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
  for (const file of files) {
    const { x, count, dtype } = readExamples(file, known, saved);
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
      throw new InputError(`${file}: the network gives ${raw[bad]} for row ${1 + Math.floor(bad / width)}`, { file });
    const { mean = 0, std = 1 } = table?.target ?? {};
    yield {
      ...{ file, count, width, data: Float64Array.from(raw, (value) => value * std + mean) },
      classNames:
        classes === undefined ? undefined : Array.from({ length: width }, (_, i) => classNames?.[i] ?? `${i}`),
    };
  }
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
      table ? "give .csv files" : "give .npy files",
    );
  if (table) {
    const rows = readCsv(file);
    return { x: inputsOf(rows, table), count: rows.rows.length, dtype };
  }
  const { x, shape, count } = inputShape.length === 3 ? readImages(file, config.data.layout) : readArray(file);
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
  if (bad >= 0) throw new DataError(`${file}: element ${bad} is ${data[bad]}`, { file, at: bad });
  return { x: data, shape: rest, count };
}
