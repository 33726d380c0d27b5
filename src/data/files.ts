import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import envPaths from "env-paths";
import { DataError } from "../util/errors.ts";

/** Where fetched sets are kept: EIGENSAM_DATA, or this platform's folder for caches. */
export const cacheFolder = (): string =>
  process.env.EIGENSAM_DATA || join(envPaths("eigensam", { suffix: "" }).cache, "data");

export const folderToFetchInto = (name: string): string => join(cacheFolder(), name);

/** The folders a set may lie in, in the order in which they are tried. */
export const foldersFor = (name: string, dir: string | undefined, usual: readonly string[]): string[] => [
  ...(dir === undefined ? [] : [dir, join(dir, name)]),
  folderToFetchInto(name),
  ...usual,
];

/** The first folder that holds one of the alternatives of every file; undefined if none does. */
export const findFolder = (folders: readonly string[], files: readonly (readonly string[])[]): string | undefined =>
  folders.find((folder) => files.every((names) => names.some((name) => existsSync(join(folder, name)))));

/** The same, or an error that says where was looked. */
export function requireFolder(name: string, folders: readonly string[], files: readonly (readonly string[])[]): string {
  const found = findFolder(folders, files);
  if (found === undefined)
    throw new DataError(
      `${name} is not here: looked for ${[...new Set(files.map((names) => names[0]))].join(", ")} in ${folders.join(", ")}`,
      { name, folders },
      `eigensam data fetch ${name}, or set data.dir to its folder`,
    );
  return found;
}

export function readBytes(path: string, hint = "it must be a file that you may read"): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path} cannot be read: ${reason}`, { path }, hint);
  }
}

/** A file's bytes, unpacked if it is gzip. */
export function readMaybeGzip(path: string): Uint8Array {
  const bytes = readBytes(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path}: damaged gzip file: ${reason}`, { path }, "fetch it again");
  }
}
