import { InputError } from "../util/errors.ts";

/** Examples by class, in rows, and by what they were taken for, in columns. */
export type Confusion = number[][];

export const emptyConfusion = (width: number): Confusion =>
  Array.from({ length: width }, () => new Array<number>(width).fill(0));

/**
 * Adds examples with outputs [n, width] and labels [n] to the counts.
 * @throws InputError where an output is NaN
 */
export function countClasses(confusion: Confusion, outputs: Float32Array, labels: ArrayLike<number>): void {
  const width = confusion.length;
  const bad = outputs.findIndex(Number.isNaN);
  if (bad >= 0) {
    const example = Math.floor(bad / width);
    throw new InputError(`the network gives NaN for example ${example}`, { example }, "are inputs and weights finite?");
  }
  for (let i = 0; i < labels.length; i++) {
    const row = outputs.subarray(i * width, (i + 1) * width);
    const taken = row.reduce((first, value, at) => (value > row[first]! ? at : first), 0);
    confusion[labels[i]!]![taken]!++;
  }
}
