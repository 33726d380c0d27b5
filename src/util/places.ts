import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { onFile, systemFailure } from "./system-errors.ts";

/** Names of what a process has open; they may stand for a file, which is then not to be replaced. */
const OPEN_FILE = /^\/(dev\/(fd\/\d+|stdin|stdout|stderr)|proc\/(self|\d+)\/fd\/\d+)$/;

/** Whether a path is to be written to rather than replaced: a pipe, a device, a socket, or what a process has open. */
export function isStream(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isDirectory() && (!found.isFile() || OPEN_FILE.test(resolve(path)));
}

/** Whether a path is what the standard output goes to, so that nothing else may be printed there. */
export function isStandardOutput(path: string): boolean {
  const [found, out] = [statSync(path, { throwIfNoEntry: false }), fstatSync(1)];
  return found !== undefined && found.dev === out.dev && found.ino === out.ino;
}

/** The file that a path stands for: links are followed, also to a file that is yet to be made. */
export function targetOf(path: string): string {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path;
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path);
  return targetOf(resolve(realpathSync(dirname(path)), readlinkSync(path)));
}

/**
 * Checks before any work that a file can be written, and leaves nothing behind.
 * @throws FileError that says why not
 */
export function assertFileWritable(path: string): void {
  onFile("written", path, () => {
    const target = isStream(path) ? path : targetOf(path);
    const found = statSync(target, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw systemFailure("EISDIR", path);
    if (found !== undefined) accessSync(target, constants.W_OK);
    if (found === undefined || !isStream(path)) probe(dirname(target));
  });
}

/**
 * Checks before any work that a folder can be made, or written to where it is there, and leaves nothing behind.
 * @throws FileError that says why not
 */
export function assertFolderWritable(path: string): void {
  onFile("written", path, () => {
    const target = targetOf(path);
    const found = statSync(target, { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory()) throw systemFailure("ENOTDIR", path);
    probe(nearestFolder(resolve(target)));
  });
}

const nearestFolder = (path: string): string =>
  statSync(path, { throwIfNoEntry: false }) === undefined && dirname(path) !== path
    ? nearestFolder(dirname(path))
    : path;

/** Makes a file of one byte in a folder and removes it: a full disk lets empty files be made. */
function probe(folder: string): void {
  const path = join(folder, `.eigensam.${process.pid}.tmp`);
  const file = openSync(path, "w");
  try {
    writeSync(file, "0");
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
