import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isStream, targetOf } from "./places.ts";
import { onFile, systemFailure } from "./system-errors.ts";

/**
 * Writes a file of a folder of ours whole or not at all, also where the power fails: beside it first and to the disk, then renamed,
 * then the folder to the disk. What was there before stays until then; its mode and owner are kept. A link is replaced, not
 * followed: a folder from elsewhere may hold one that leads out of it.
 * @throws FileError where it cannot be written
 */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  onFile("written", path, () => replace(path, bytesOf(data)));
}

/**
 * The same for a file that is not there yet: whether it was made. False where there is one already, which stays; of several processes
 * that make one, one does.
 * @throws FileError where it cannot be written
 */
export function createAtomic(path: string, data: string | Uint8Array): boolean {
  return onFile("written", path, () => !existsSync(path) && replace(path, bytesOf(data), linkNew));
}

/**
 * The same for a file that the user names: a link goes on pointing to the file, and what is no plain file (a pipe, a device, the
 * standard output) is written to.
 * @throws FileError where it cannot be written
 */
export function writeOutput(path: string, data: string | Uint8Array): void {
  onFile("written", path, () =>
    isStream(path) ? writeTo(path, bytesOf(data)) : replace(targetOf(path), bytesOf(data)),
  );
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? Buffer.from(data) : data);

/** What file systems without hard links answer. */
const UNLINKABLE: readonly unknown[] = ["EACCES", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EPERM"];

/** Gives a file its name unless another has it. */
function linkNew(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!UNLINKABLE.includes(code) || existsSync(path)) throw error;
    return named(temporary, path);
  }
  rmSync(temporary);
  return true;
}

function named(temporary: string, path: string): boolean {
  renameSync(temporary, path);
  return true;
}

/** Makes a file beside its place, and names it; what is there already is replaced by `name`, or stays. Whether it has its name. */
function replace(path: string, bytes: Uint8Array, name = named): boolean {
  const temporary = temporaryOf(path);
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before?.isDirectory()) throw systemFailure("EISDIR", path);
  try {
    const file = openSync(temporary, "w");
    try {
      if (before?.isFile()) inherit(file, before);
      writeAll(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const done = name(temporary, path);
    if (done) syncFolder(dirname(path));
    else rmSync(temporary);
    return done;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeTo(path: string, bytes: Uint8Array): void {
  // Appending neither cuts a file that the standard output goes to, nor writes over what is in it.
  const file = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    writeAll(file, bytes);
  } finally {
    closeSync(file);
  }
}

/** Where a file is made before it gets its name; a long name is cut, because the whole must fit. */
export const temporaryOf = (path: string): string =>
  join(dirname(path), `.${basename(path).slice(0, LONGEST_NAME)}.${process.pid}.tmp`);

const LONGEST_NAME = 50;

/** Another user's file stays theirs; who is not root cannot give files away. */
function inherit(file: number, { mode, uid, gid }: Stats): void {
  try {
    if (process.getuid?.() === 0) fchownSync(file, uid, gid);
  } finally {
    fchmodSync(file, mode & 0o777);
  }
}

/** Whether a name is one that `temporaryOf` gives. */
export const isTemporary = (name: string): boolean => /^\..+\.\d+\.tmp$/.test(name);

/** Removes what a killed process left half written in a folder. Only for one that no living process writes to. */
export function removeTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  // One that looks whether it can write here removes what it made itself, and may be faster.
  for (const name of readdirSync(folder))
    if (isTemporary(name)) rmSync(join(folder, name), { recursive: true, force: true });
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
  /\.(safetensors|pth|pt)$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
