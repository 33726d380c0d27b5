import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The libraries that the CUDA device needs and onnxruntime-node's package on npm leaves out for their size. */
export const CUDA_LIBRARIES = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"] as const;

/** The only platform that there are CUDA libraries for. */
export const CUDA_PLATFORM = "linux/x64";

/** Where onnxruntime-node is installed. */
export const ortFolder = (): string => dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));

/** What onnxruntime-node's install script has left of the CUDA libraries. */
export interface CudaLibraries {
  /** Where they belong. */
  readonly folder: string;
  /** Those that are not there: the script was skipped (`npm ci --ignore-scripts`), or its download failed. */
  readonly missing: readonly string[];
  /** Those that were cut short, as by a full disk. */
  readonly damaged: readonly string[];
}

/** Whether the CUDA libraries are there; undefined on platforms that have none. */
export function cudaLibraries(
  platform = `${process.platform}/${process.arch}`,
  folder = join(ortFolder(), "bin/napi-v6", platform),
): CudaLibraries | undefined {
  if (platform !== CUDA_PLATFORM) return undefined;
  const missing = CUDA_LIBRARIES.filter((name) => !existsSync(join(folder, name)));
  const there = CUDA_LIBRARIES.filter((name) => !missing.includes(name));
  return { folder, missing, damaged: there.filter((name) => !isWhole(join(folder, name))) };
}

/** Whether a library for 64 bits reaches as far as its header says: the table of sections is at its end (ELF specification). */
function isWhole(path: string): boolean {
  const header = Buffer.alloc(64);
  const file = openSync(path, "r");
  try {
    if (readSync(file, header) < header.length || header.toString("latin1", 1, 4) !== "ELF") return false;
    const end = Number(header.readBigUInt64LE(0x28)) + header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c);
    return end <= fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}
