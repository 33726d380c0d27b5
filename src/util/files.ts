import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "./errors.ts";

/**
 * Writes a file whole or not at all, also where the power fails: beside it first and to the disk, then renamed, then the folder to
 * the disk. What was there before stays until then.
 * @throws InputError where its folder is not there
 */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new InputError(`${path}: there is no folder ${folder}`, { path }, "make it first");
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, "w");
    try {
      writeAll(file, typeof data === "string" ? Buffer.from(data) : data);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const TEMPORARY = /^\..+\.\d+\.tmp$/;

/** Removes what a killed process left half written in a folder. Only for one that no living process writes to. */
export function removeTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (TEMPORARY.test(name)) rmSync(join(folder, name), { recursive: true });
}

/** Writes all bytes; the system may take them in parts. From `position` on, or where the last write ended. */
export function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, position === undefined ? null : position + done);
}

/** Makes a folder and those above it that are missing, on disk for good. What is there already stays. */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  // Node.js's own recursive mkdir never returns where a file system answers ENOENT for a folder that is there, as /proc does.
  const parent = dirname(resolve(path));
  if (parent !== resolve(path)) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
  syncFolder(parent);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** What systems answer that cannot do this: Windows, some network folders, folders that may be written but not read. */
const UNSYNCABLE: readonly unknown[] = ["EACCES", "EINVAL", "EISDIR", "ENOSYS", "ENOTSUP", "EPERM"];

/** The names in a folder, on disk for good: a new or renamed file may otherwise be gone after a power failure. */
export function syncFolder(folder: string): void {
  try {
    syncPath(folder);
  } catch (error) {
    if (!UNSYNCABLE.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** A folder with everything in it, on disk for good. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncFolder(folder);
}

function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Whether a path is a file of weights rather than a run directory: by its name, or because a file lies there. */
export const isWeightsFile = (path: string): boolean =>
  path.endsWith(".safetensors") || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
