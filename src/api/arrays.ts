import type { Batch, BatchSource, Dataset, Inputs, Split, TargetArray } from "../data/dataset.ts";
import { looksLikeNhwc } from "../data/image-layout.ts";
import { classesOf } from "../data/labels.ts";
import { statistics } from "../data/npy.ts";
import type { Targets } from "../nn/losses.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { type Shape, showShape, sizeOf } from "../util/shape.ts";

/** Numbers in nested arrays, rows first: [[1, 2], [3, 4]] has shape [2, 2]. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** A flat typed array, row-major, with its shape. */
export interface ShapedArray {
  readonly data: Uint8Array | Int32Array | Float32Array | Float64Array;
  readonly shape: Shape;
}

/** An array as users have it; the first axis counts the examples. */
export type ArrayInput = NestedNumbers | ShapedArray;

/** Inputs and targets of some examples. */
export interface Examples {
  /**
   * [n, …]: uint8 [n, C, H, W] are pixels, normalized per channel by the training arrays, or divided by 255 where those
   * come in batches; int32 are integers such as tokens; the rest are real numbers.
   */
  readonly x: ArrayInput;
  /** [n] labels from 0, or [n, length] where every position has one; or [n, …] real values. */
  readonly y: ArrayInput;
}

/** Batches of one epoch after another. */
export type BatchesOf = (epoch: number) => AsyncIterable<Examples> | Iterable<Examples>;

/** Data of one's own: arrays, or training batches as they come. */
export type DataInput = {
  /** As records call it; left out, "arrays". */
  readonly name?: string;
  /** Held-out examples; left out, a part of the training arrays if `validation` asks for one. */
  readonly val?: Examples;
  readonly test?: Examples;
  /** Says that y are labels, and how many classes they have; left out, one more than the largest label of the training arrays. */
  readonly classes?: number;
} & (
  | { readonly train: Examples }
  | {
      /** A function of the epoch, from 0, so that a stopped run can resume; or an iterable that every epoch reads anew. */
      readonly train: BatchesOf | AsyncIterable<Examples>;
      readonly stepsPerEpoch: number;
    }
);

/** What a loss says of the targets: their kind, if it takes one alone; "chosen" where a loss is given that takes any. */
export type TargetKind = Targets["kind"] | "chosen" | undefined;

/** A data set of arrays. Batches are read once, for their shapes. */
export async function datasetOfArrays(input: DataInput, kind: TargetKind): Promise<Dataset> {
  const source = isExamples(input.train) ? undefined : await peeked(input.train, stepsOf(input));
  const first = source?.first ?? (input.train as Examples);
  const x = toInputs(first.x, "data.train.x");
  const targets = targetsOf(first.y, kind, input.classes);
  if (source && targets.kind === "labels" && input.classes === undefined)
    throw new ConfigError(
      "data.train gives labels in batches, and data.classes is not given",
      {},
      "one batch need not have every class: give classes: 10, say",
    );
  const inputShape = x.shape.slice(1);
  const split = (examples: Examples, name: string) => toSplit(examples, name, inputShape, targets, x.data);
  const train = split(first, "data.train");
  const named = (part: "val" | "test") => {
    if (input[part] === undefined) return {};
    const held = split(input[part], `data.${part}`);
    if (targets.kind === "labels" && input.classes === undefined)
      classesOf(train.y as Int32Array, held.y as Int32Array, `data.${part}.y`);
    return { [part]: held };
  };
  const scale =
    x.data instanceof Uint8Array ? scaleOf(x.data, train.count, inputShape, source !== undefined) : UNSCALED;
  return {
    name: input.name ?? "arrays",
    inputShape,
    targets,
    ...scale,
    train: source ? streamOf(source, train, split) : train,
    ...named("val"),
    ...named("test"),
  };
}

const UNSCALED = { mean: [], std: [] };

/** Mean and deviation of pixels over 255, by channel. One batch of many says nothing of the others: its pixels are only divided by 255. */
function scaleOf(pixels: Uint8Array, count: number, [channels = 1, height = 1, width = 1]: Shape, isPart: boolean) {
  if (isPart) return { mean: Array(channels).fill(0), std: Array(channels).fill(1) };
  return statistics({ x: pixels, y: new Int32Array(), count }, [channels, height, width]);
}

/** Real inputs as the network of a trained run reads them. */
export function toInputs(given: ArrayInput, name: string): { readonly data: Inputs; readonly shape: Shape } {
  const { data, shape } = shaped(given, name);
  if (shape.length === 0 || shape[0] === 0)
    throw new DataError(`${name} has no examples`, { name, shape }, "the first axis counts them");
  const pixels = data instanceof Uint8Array && shape.length === 4;
  if (pixels && looksLikeNhwc(shape))
    throw new DataError(
      `${name} has shape ${showShape(shape)}, expected [n, C, H, W]`,
      { name, shape },
      "this looks like NHWC: move the channels to the second axis, or give normalized float32 to a network that takes it so",
    );
  if (pixels || data instanceof Int32Array) return { data, shape };
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const bad = firstWhere(values, (value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new DataError(
      `${name}: element ${bad} is ${values[bad]}`,
      { name, at: bad },
      "numbers must be finite in float32",
    );
  return { data: values, shape };
}

/** Examples of the same form as the training ones. */
export function toSplit(examples: Examples, name: string, inputShape: Shape, targets: Targets, like?: Inputs): Split {
  const x = toInputs(examples.x, `${name}.x`);
  const count = x.shape[0]!;
  if (showShape(x.shape.slice(1)) !== showShape(inputShape))
    throw new DataError(
      `${name}.x has shape ${showShape(x.shape)}, expected [n${["", ...inputShape].join(", ")}]`,
      { name, shape: x.shape },
      "every part of the data has examples of one shape",
    );
  if (like !== undefined && x.data.constructor !== like.constructor)
    throw new DataError(
      `${name}.x is ${x.data.constructor.name}, the training examples are ${like.constructor.name}`,
      {
        name,
      },
      "give every part of the data in one type",
    );
  return { x: x.data, y: toTargets(examples.y, `${name}.y`, count, targets), count };
}

function toTargets(given: ArrayInput, name: string, count: number, targets: Targets): TargetArray {
  const { data, shape } = shaped(given, name);
  const expected = [count, ...(targets.shape ?? [])];
  if (showShape(shape) !== showShape(expected))
    throw new DataError(
      `${name} has shape ${showShape(shape)}, expected ${showShape(expected)}`,
      { name, shape, expected },
      targets.kind === "labels"
        ? "one label per example; one-hot rows become labels by their largest column"
        : "one target per example",
    );
  const values = targets.kind === "labels" ? data : Float32Array.from(data);
  const wrong =
    targets.kind === "labels"
      ? wrongLabel(values, targets.classes)
      : firstWhere(values, (value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new DataError(
      `${name}: element ${wrong} is ${values[wrong]}, expected ${targets.kind === "labels" ? `a label 0 … ${targets.classes - 1}` : "a finite number"}`,
      { name, at: wrong },
    );
  return values instanceof Float32Array && targets.kind === "values" ? values : Int32Array.from(data);
}

/** Where the first number is no label below `classes`; −1 where all are. */
export const wrongLabel = (data: ShapedArray["data"], classes: number): number =>
  firstWhere(data, (label) => !(Number.isInteger(label) && label >= 0 && label < classes));

function firstWhere(data: ShapedArray["data"], test: (value: number) => boolean): number {
  for (let i = 0; i < data.length; i++) if (test(data[i]!)) return i;
  return -1;
}

function targetsOf(given: ArrayInput, kind: TargetKind, classes: number | undefined): Targets {
  const { data, shape } = shaped(given, "data.train.y");
  const integers = shape.length === 1 && (data instanceof Int32Array || data instanceof Uint8Array);
  const labels = kind === "labels" || (kind !== "values" && (integers || classes !== undefined));
  const doubtful =
    kind === undefined && !labels && shape.length === 1 && wrongLabel(data, Number.POSITIVE_INFINITY) < 0;
  if (doubtful)
    throw new ConfigError(
      `data.train.y holds whole numbers of shape ${showShape(shape)}: labels or real values?`,
      { shape },
      'say loss: "cross-entropy" for labels, or loss: "mse" for values',
    );
  if (!labels) return { kind: "values", shape: shape.slice(1) };
  // What is no label is refused later, with its place.
  const known = Array.from(data).filter(Number.isInteger);
  return {
    kind: "labels",
    classes: classes ?? 1 + known.reduce((most, label) => Math.max(most, label), 0),
    ...(shape.length > 1 ? { shape: shape.slice(1) } : {}),
  };
}

const isExamples = (train: DataInput["train"]): train is Examples => {
  if (typeof train === "function") return false;
  if (typeof train === "object" && train !== null && Symbol.asyncIterator in train) return false;
  if (typeof train === "object" && train !== null && "x" in train) return true;
  throw new ConfigError(
    `data.train is ${train === null ? "null" : typeof train}`,
    {},
    "give { x, y }, or a function of the epoch that gives batches { x, y }",
  );
};

function stepsOf(input: DataInput): number {
  const steps = "stepsPerEpoch" in input ? input.stepsPerEpoch : undefined;
  if (steps !== undefined && Number.isInteger(steps) && steps > 0) return steps;
  throw new ConfigError(
    `data.stepsPerEpoch is ${steps}, but data.train gives batches`,
    { stepsPerEpoch: steps },
    "give the number of batches in an epoch, a whole number from 1",
  );
}

interface Peeked {
  readonly stepsPerEpoch: number;
  readonly first: Examples;
  open(epoch: number): AsyncIterable<Examples>;
}

/** Reads the first batch. An iterable that can be read only once still gives that batch to its first epoch. */
async function peeked(train: BatchesOf | AsyncIterable<Examples>, stepsPerEpoch: number): Promise<Peeked> {
  const open = async function* (epoch: number) {
    yield* typeof train === "function" ? train(epoch) : train;
  };
  const iterator = open(0);
  const { value: first, done } = await iterator.next();
  if (done || first === undefined)
    throw new DataError("data.train gives no batch", {}, "an epoch has stepsPerEpoch batches");
  let opened = typeof train === "function";
  if (opened) await iterator.return(undefined);
  return {
    stepsPerEpoch,
    first,
    open: async function* (epoch) {
      if (opened) yield* open(epoch);
      else {
        opened = true;
        yield first;
        yield* iterator;
      }
    },
  };
}

const streamOf = (
  source: Peeked,
  { x: like, count }: Split,
  split: (examples: Examples, name: string) => Split,
): BatchSource => ({
  stepsPerEpoch: source.stepsPerEpoch,
  batch: count,
  like,
  open: async function* (epoch): AsyncIterable<Batch> {
    for await (const examples of source.open(epoch)) yield split(examples, `epoch ${epoch + 1}`);
  },
});

/** Data and shape of an array in either form. */
function shaped(given: ArrayInput, name: string): ShapedArray {
  if (given === undefined || given === null)
    throw new DataError(`${name} is missing`, { name }, "give nested arrays or { data, shape }");
  if (typeof given === "object" && "data" in given) {
    if (!Array.isArray(given.shape))
      throw new DataError(`${name} has data and no shape`, { name }, "give { data, shape: [n, 2] }, say");
    if (given.data.length !== sizeOf(given.shape))
      throw new DataError(
        `${name}: ${given.data.length} numbers, expected ${sizeOf(given.shape)} for shape ${showShape(given.shape)}`,
        { name, shape: given.shape },
      );
    return given;
  }
  if (!Array.isArray(given))
    throw new DataError(
      `${name} is ${Object.prototype.toString.call(given).slice(8, -1)}, expected nested arrays or { data, shape }`,
      { name },
      `a typed array needs its shape: { data: ${name.split(".").at(-1)}, shape: [n, 2] }`,
    );
  const shape: number[] = [];
  for (let inner: number | NestedNumbers | undefined = given; Array.isArray(inner); inner = inner[0])
    shape.push(inner.length);
  const data = new Float64Array(sizeOf(shape));
  let at = 0;
  const visit = (part: number | NestedNumbers, depth: number) => {
    const size = typeof part === "number" ? undefined : part.length;
    if (size !== shape[depth])
      throw new DataError(
        `${name}: rows of ${shape[depth] ?? "one number"} and of ${size ?? "one number"} elements at depth ${depth}`,
        { name, depth },
        "nested arrays must be rectangular",
      );
    if (typeof part === "number") data[at++] = part;
    else for (const inner of part) visit(inner, depth + 1);
  };
  visit(given, 0);
  return { data, shape };
}
