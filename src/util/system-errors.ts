import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { FileError } from "./errors.ts";

/** What was to be done to a file or folder. */
export type FileUse = "read" | "written" | "opened" | "made" | "removed" | "renamed" | "started";

interface Reason {
  /** Why the system refuses, after "X cannot be written: ". */
  readonly why: string;
  readonly next: string;
}

/** What systems answer, in words. */
export const systemReasons = {
  ENOENT: { why: "there is no such file or folder", next: "check the path; missing folders must be made first" },
  EACCES: { why: "this user is not allowed to", next: "change its permissions, or choose another place" },
  EPERM: { why: "the system does not allow it", next: "change its permissions, or choose another place" },
  EROFS: { why: "its file system is read-only", next: "choose another place" },
  ENOSPC: { why: "the disk is full", next: "free some space, or choose another disk" },
  EDQUOT: { why: "this user's share of the disk is used up", next: "free some space, or choose another disk" },
  EISDIR: { why: "it is a folder", next: "give the path of a file" },
  ENOTDIR: { why: "a part of its path is a file, not a folder", next: "check the path" },
  EEXIST: { why: "something of this name is there already", next: "remove it, or choose another name" },
  ENOTEMPTY: { why: "the folder is not empty", next: "empty it, or choose another name" },
  ENAMETOOLONG: { why: "the name is too long", next: "choose a shorter one" },
  ELOOP: { why: "its links lead in a circle", next: "remove or correct the links" },
  EXDEV: { why: "it would have to move to another disk", next: "choose a place on the same disk" },
  EMFILE: { why: "this process has too many files open", next: "raise the limit: ulimit -n 4096" },
  ENFILE: { why: "this machine has too many files open", next: "end other programs" },
  EFBIG: { why: "the file would be larger than is allowed here", next: "raise the limit: ulimit -f unlimited" },
  EIO: { why: "the disk or network gives an error", next: "check the disk; a network folder may be gone" },
  ESTALE: { why: "the network folder has changed or is gone", next: "mount it again" },
  EBUSY: { why: "it is in use", next: "end the program that uses it" },
  ETXTBSY: { why: "it is a program that runs", next: "end it, or choose another name" },
  EPIPE: { why: "its reader is gone", next: "read it to its end" },
  ENXIO: { why: "nothing is at its other end", next: "choose a file" },
  ENODEV: { why: "there is no such device", next: "choose a file" },
  EINVAL: { why: "the system does not accept this", next: "choose another name or place" },
  EAGAIN: { why: "the system has no room for it now", next: "try again; end other programs" },
  ENOMEM: { why: "memory is used up", next: "end other programs" },
} as const satisfies Readonly<Record<string, Reason>>;

/** Whether the system gave this error. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "syscall" in error && "code" in error;

/** Why, and what to do next. */
export function reasonOf({ code = "", message }: NodeJS.ErrnoException): Reason {
  const known: Readonly<Record<string, Reason>> = systemReasons;
  return known[code] ?? { why: message, next: "the system gives no other reason" };
}

/** The error in words: "X cannot be written: the disk is full". */
export function fileError(error: NodeJS.ErrnoException, use: FileUse, path: string): FileError {
  const { why, next } = error.code === "ENOENT" && use === "written" ? missingFolder(path) : reasonOf(error);
  return new FileError(`${path} cannot be ${use}: ${why}`, { path, code: error.code }, next);
}

/** A file to be written may itself be missing. */
function missingFolder(path: string): Reason {
  const folder = dirname(path);
  return existsSync(folder)
    ? { why: `nothing can be made in ${folder}`, next: "choose another place" }
    : { why: `there is no folder ${folder}`, next: "make it first" };
}

/** Does the work; errors of the system become a FileError that names the path as the caller gave it. */
export function onFile<T>(use: FileUse, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isSystemError(error) ? fileError(error, use, path) : error;
  }
}

/** An error as the system would give it, where it would give none, or a worse one. */
export const systemFailure = (code: keyof typeof systemReasons, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${path}`), { code, path, syscall: "open" });

/** The same for an error that nobody caught: what was done to the path is known from the system call. */
export function uncaughtFileError(error: NodeJS.ErrnoException): FileError {
  const { syscall = "", path } = error;
  const use = Object.entries(uses).find(([name]) => syscall.startsWith(name))?.[1] ?? "opened";
  return fileError(error, use, path ?? "a file");
}

const uses: Readonly<Record<string, FileUse>> = {
  spawn: "started",
  write: "written",
  ftruncate: "written",
  fsync: "written",
  read: "read",
  scandir: "read",
  mkdir: "made",
  mkdtemp: "made",
  unlink: "removed",
  rm: "removed",
  rename: "renamed",
};
