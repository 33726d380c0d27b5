import { rng } from "../util/rng.ts";
import { permutation } from "./permutation.ts";
import type { Split } from "./dataset.ts";

/** A random part of the images set aside for validation, a function of the seed; both parts keep the file's order. */
export function splitValidation(split: Split, fraction: number, seed: number): { train: Split; val: Split } {
  const held = Math.round(split.count * fraction);
  const order = permutation(split.count, rng(seed, "validation"));
  return {
    train: select(split, order.subarray(held).toSorted()),
    val: select(split, order.subarray(0, held).toSorted()),
  };
}

/** The images of the given indices, copied together. */
export function select({ images, labels, count }: Split, indices: Int32Array): Split {
  const size = count === 0 ? 0 : images.length / count;
  const chosen =
    images instanceof Uint8Array ? new Uint8Array(indices.length * size) : new Float32Array(indices.length * size);
  indices.forEach((from, to) => {
    chosen.set(images.subarray(from * size, (from + 1) * size) as never, to * size);
  });
  return { images: chosen, labels: Int32Array.from(indices, (i) => labels[i]!), count: indices.length };
}
