import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { cachesHere } from "../util/caches.ts";
import { DataError } from "../util/errors.ts";
import { isSystemError, reasonOf } from "../util/system-errors.ts";

/** Where fetched sets are kept: EIGENSAM_DATA, or this platform's folder for caches. */
export const cacheFolder = (): string => process.env.EIGENSAM_DATA || join(cachesHere(), "data");

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

/** What to do where a number of an array is infinite or none. */
export const FINITE = "replace it, or leave the example out: x[np.isfinite(x).all(axis=tuple(range(1, x.ndim)))]";

/** The bytes of a file, or of a pipe to its end. */
export function readBytes(path: string, hint?: string): Uint8Array {
  try {
    // A device such as /dev/zero never ends.
    if (statSync(path).isCharacterDevice()) throw new DataError(`${path} is a device, not a file`, { path }, hint);
    return readFileSync(path);
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof RangeError)) throw error;
    // A RangeError is a file of more than 2 GiB.
    const { why, next } = isSystemError(error) ? reasonOf(error) : { why: error.message, next: "give a smaller file" };
    throw new DataError(`${path} cannot be read: ${why}`, { path }, hint ?? next);
  }
}

/** No published set read here unpacks to more; a small file of zeros must not take all memory. */
const MOST_UNPACKED = 2 ** 28;

/** A file's bytes, unpacked if it is gzip. */
export function readMaybeGzip(path: string): Uint8Array {
  return unpacked(readBytes(path), path);
}

/** The same of bytes that are read already. */
export function unpacked(bytes: Uint8Array, source: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED });
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const reason = large ? `it unpacks to more than ${MOST_UNPACKED / 2 ** 20} MiB` : (error as Error).message;
    throw new DataError(`${source}: damaged gzip file: ${reason}`, { source }, "fetch it again");
  }
}
