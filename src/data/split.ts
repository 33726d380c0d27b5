import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import { withLabelNoise } from "./label-noise.ts";
import { type Dataset, isSplit, type Split } from "./dataset.ts";
import { permutation } from "./permutation.ts";

/** A random part of the examples set aside for validation, a function of the seed; both parts keep the file's order. */
export function splitValidation<S extends Split>(split: S, fraction: number, seed: number): { train: S; val: S } {
  const held = Math.round(split.count * fraction);
  const order = permutation(split.count, rng(seed, "validation"));
  return {
    train: select(split, order.subarray(held).toSorted()),
    val: select(split, order.subarray(0, held).toSorted()),
  };
}

/** How training examples are parted, and what is done to those that are trained on. */
export interface Parting {
  readonly validation: number;
  /** Training examples that are used; 0 is all of them. */
  readonly examples: number;
  /** Part of their labels that is wrong. */
  readonly labelNoise: number;
}

/**
 * What is trained on and what is kept for validation: the data set's own examples, or a part of its training examples. Of those that
 * are trained on, as many as asked for are drawn, and given as many wrong labels; the others keep theirs.
 */
export function partsOf<T extends Dataset["train"]>(
  { train, val }: { readonly train: T; readonly val?: Split | undefined },
  { validation, examples, labelNoise }: Parting,
  seed: number,
  targets: Dataset["targets"] | undefined,
): { train: T; val: Split | undefined } {
  const parts =
    val === undefined && isSplit(train) && validation > 0 ? splitValidation(train, validation, seed) : { train, val };
  const kept = parts.val !== undefined && parts.val.count > 0 ? parts.val : undefined;
  if (examples === 0 && labelNoise === 0) return { train: parts.train, val: kept };
  if (!isSplit(parts.train))
    throw new ConfigError(
      "data.examples and data.labelNoise take training examples in memory, and these come from a stream",
      { examples, labelNoise },
      "leave them out",
    );
  return { train: changed(parts.train, examples, labelNoise, seed, targets), val: kept };
}

function changed<S extends Split>(
  split: S,
  examples: number,
  labelNoise: number,
  seed: number,
  targets: Dataset["targets"] | undefined,
): S {
  if (examples > split.count)
    throw new ConfigError(
      `data.examples is ${examples}, but there are ${split.count} training examples`,
      { examples, count: split.count },
      "ask for fewer, or leave it out for all",
    );
  const order = permutation(split.count, rng(seed, "examples"));
  const chosen = examples === 0 ? split : select(split, order.subarray(0, examples).toSorted());
  if (labelNoise === 0) return chosen;
  if (targets?.kind !== "labels" || targets.classes < 2)
    throw new ConfigError(
      `data.labelNoise is ${labelNoise}, but the targets are no labels of several classes`,
      { labelNoise },
      "leave it out",
    );
  return withLabelNoise(chosen, targets.classes, labelNoise, rng(seed, "label noise"));
}

/** The examples of the given indices, copied together. */
export const select = <S extends Split>(split: S, indices: Int32Array): S => ({
  ...split,
  x: rowsOf(split.x, split.count, indices),
  y: rowsOf(split.y, split.count, indices),
  count: indices.length,
});

/** The rows of the given indices of `count` rows, copied together. */
export function rowsOf<T extends Split["x"] | Split["y"]>(values: T, count: number, indices: Int32Array): T {
  const size = count === 0 ? 0 : values.length / count;
  const chosen = new (values.constructor as new (length: number) => T)(indices.length * size);
  indices.forEach((from, to) => {
    chosen.set(values.subarray(from * size, (from + 1) * size), to * size);
  });
  return chosen;
}
