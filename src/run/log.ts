import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { InputError } from "../util/errors.ts";

/** A file of JSON lines that only grows; a resumed run cuts it back to where its checkpoint was written. */
export interface LogFile<L> {
  /** Length so far, in bytes. */
  readonly bytes: number;
  append(line: L): void;
  /** On disk for good. */
  sync(): void;
  close(): void;
}

/** Opens a log after its first `from` bytes; the file is made with its first line. InputError where it is shorter. */
export function openLog<L extends object>(path: string, from = 0): LogFile<L> {
  let file = existsSync(path) ? openSync(path, "r+") : undefined;
  const size = file === undefined ? 0 : fstatSync(file).size;
  if (size < from) {
    if (file !== undefined) closeSync(file);
    throw new InputError(
      `${path}: ${file === undefined ? "missing" : `${size} bytes`}, but the checkpoint was written after ${from} bytes`,
      { path, length: size, from },
      "put the whole file back, or start the run anew in another directory",
    );
  }
  if (file !== undefined) ftruncateSync(file, from);
  let bytes = from;
  return {
    get bytes() {
      return bytes;
    },
    append: (line) => {
      file ??= openSync(path, "w");
      const data = Buffer.from(`${JSON.stringify(line)}\n`);
      for (let done = 0; done < data.length; ) done += writeSync(file, data, done, data.length - done, bytes + done);
      bytes += data.length;
    },
    sync: () => {
      if (file !== undefined) fsyncSync(file);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  };
}
