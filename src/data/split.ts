import { rng } from "../util/rng.ts";
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

/** What is trained on and what is kept for validation: the data set's own examples, or a part of its training examples. */
export function partsOf<T extends Dataset["train"]>(
  { train, val }: { readonly train: T; readonly val?: Split | undefined },
  fraction: number,
  seed: number,
): { train: T; val: Split | undefined } {
  const parts =
    val === undefined && isSplit(train) && fraction > 0 ? splitValidation(train, fraction, seed) : { train, val };
  return { train: parts.train, val: parts.val !== undefined && parts.val.count > 0 ? parts.val : undefined };
}

/** The examples of the given indices, copied together. */
export const select = <S extends Split>(split: S, indices: Int32Array): S => ({
  ...split,
  x: rows(split.x, split.count, indices),
  y: rows(split.y, split.count, indices),
  count: indices.length,
});

function rows<T extends Split["x"] | Split["y"]>(values: T, count: number, indices: Int32Array): T {
  const size = count === 0 ? 0 : values.length / count;
  const chosen = new (values.constructor as new (length: number) => T)(indices.length * size);
  indices.forEach((from, to) => {
    chosen.set(values.subarray(from * size, (from + 1) * size), to * size);
  });
  return chosen;
}
