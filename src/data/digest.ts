import { createHash } from "node:crypto";
import { type Dataset, isSplit } from "./dataset.ts";

export const splitNames = ["train", "val", "test"] as const;
export type SplitName = (typeof splitNames)[number];

/** Digests of the examples of a data set; those that a source gives batch by batch have none. */
export type Digests = { readonly [name in SplitName]?: string | undefined };

/** A run asks several times, and the arrays of a data set are not changed. */
const known = new WeakMap<Dataset, Digests>();

export function digestsOf(dataset: Dataset): Digests {
  const found = known.get(dataset);
  if (found) return found;
  const digests = Object.fromEntries(
    splitNames.flatMap((name) => {
      const split = dataset[name];
      return split && isSplit(split) ? [[name, splitDigest(split)]] : [];
    }),
  );
  known.set(dataset, digests);
  return digests;
}

export const splitDigest = ({ x, y }: { readonly x: ArrayBufferView; readonly y: ArrayBufferView }): string =>
  digest(bytesOf(x), bytesOf(y));

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** SHA-256 of texts and bytes, one after the other. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
