import { readBytes } from "../data/files.ts";
import { writeOutput } from "../util/files.ts";
import { encodeSafetensors } from "../util/safetensors.ts";
import { decodeWeights } from "../util/weights-file.ts";
import type { NamedArray } from "./trained.ts";

/**
 * Reads the named arrays of a safetensors file, or of a `.pth` file of PyTorch 1.6 or later: a state_dict, or a checkpoint
 * that has one. Nothing in the file is executed. Numbers other than float32 are converted; the arrays are yours.
 *
 * @throws DataError where the file cannot be read; InputError where it is damaged
 * @example
 * ```ts
 * writeWeights("bias.safetensors", { "out.bias": { data: Float32Array.of(1, 2), shape: [2] } });
 * console.log(readWeights("bias.safetensors")["out.bias"]?.data); // [1, 2]
 * ```
 */
export function readWeights(path: string): Record<string, NamedArray> {
  const tensors = decodeWeights(readBytes(path, "give the path of a safetensors or .pth file"), path);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data, Number) }]),
  );
}

/**
 * Writes named arrays as a float32 safetensors file that PyTorch reads. The file is written whole or not at all; an
 * existing one is replaced.
 *
 * @throws InputError where an array does not fill its shape
 * @example
 * ```ts
 * writeWeights("net.safetensors", { weight: { data: new Float32Array(6), shape: [2, 3] } });
 * console.log(readWeights("net.safetensors").weight?.shape); // [2, 3]
 * ```
 */
export function writeWeights(path: string, weights: Readonly<Record<string, NamedArray>>): void {
  const tensors = Object.entries(weights).map(([name, { shape, data }]) => [
    name,
    { dtype: "F32" as const, shape, data },
  ]);
  writeOutput(path, encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
}
