import { DataError } from "../util/errors.ts";
import { decodeNpy } from "../util/npy.ts";
import { type Dataset, isSplit } from "./dataset.ts";
import { readBytes } from "./files.ts";

/** More than any classifier here is made for; a label beyond is a mistake, and would size the last layer. */
const MOST_CLASSES = 100_000;

/** Labels as 32-bit numbers, each below the number of classes. */
export function checkedLabels(labels: ArrayLike<number>, classes: number, source: string): Int32Array {
  const result = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new DataError(`${source}: label ${label} of image ${i}, expected 0 … ${classes - 1}`, { source, at: i });
    result[i] = label;
  }
  return result;
}

/** The labels of a .npy file, one per example: whole numbers of any type, [n] or [n, 1]. */
export function readLabels(path: string, count: number): Int32Array {
  const { shape, data } = decodeNpy(readBytes(path, "give the path of a .npy file"), path);
  const column = shape.length === 2 && shape[1] === 1;
  if ((shape.length !== 1 && !column) || shape[0] !== count) {
    const hint =
      shape.length === 2 && shape[0] === count
        ? "one-hot rows become labels with y.argmax(axis=1)"
        : "give one label per image";
    throw new DataError(`${path}: shape [${shape.join(", ")}], expected [${count}]`, { path, shape }, hint);
  }
  return checkedLabels(data, MOST_CLASSES, path);
}

/**
 * The number of classes: one more than the largest training label.
 * @throws DataError where a test label is none of the training labels
 */
export function classesOf(train: Int32Array, test: Int32Array, testSource: string): number {
  const classes = 1 + train.reduce((most, label) => Math.max(most, label), 0);
  const counts = countsOf(train, classes);
  const at = test.findIndex((label) => !counts[label]);
  if (at >= 0)
    throw new DataError(
      `${testSource}: label ${test[at]} of image ${at} is not among the training labels, which go from ${counts.findIndex(Boolean)} to ${classes - 1}`,
      { source: testSource, at, label: test[at], classes },
      "a network cannot learn a class without examples: give training examples of it, or leave it out of the test",
    );
  return classes;
}

/** What is odd about the classes of a data set, in a line; undefined where every class has training examples. */
export function emptyClasses({ targets, train }: Pick<Dataset, "targets" | "train">): string | undefined {
  if (targets.kind !== "labels" || !isSplit(train)) return undefined;
  const { classes } = targets;
  const counts = countsOf(train.y, classes);
  const empty = [...counts.keys()].filter((label) => counts[label] === 0);
  if (empty.length === 0) return undefined;
  const shown = `${empty.slice(0, SHOWN).join(", ")}${empty.length > SHOWN ? ", …" : ""}`;
  const which = empty.length === 1 ? "one has" : `${empty.length} have`;
  return `${classes} classes, of which ${which} no training example: ${shown}; is the largest label, ${classes - 1}, a class?`;
}

const SHOWN = 5;

function countsOf(labels: ArrayLike<number>, classes: number): Int32Array {
  const counts = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}
