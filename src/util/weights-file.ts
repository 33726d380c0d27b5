import { decodeSafetensors, type SafeTensor } from "./safetensors.ts";
import { decodeTorchFile, isTorchFile } from "./torch-file/index.ts";

/** The named tensors of a file of weights, whatever it is called: safetensors, or what torch.save writes. `source` is what errors call it. */
export const decodeWeights = (bytes: Uint8Array, source: string): Readonly<Record<string, SafeTensor>> =>
  isTorchFile(bytes) ? decodeTorchFile(bytes, source) : decodeSafetensors(bytes, source).tensors;
