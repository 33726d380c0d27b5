import { closeSync, fsyncSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { InputError } from "../util/errors.ts";

/** A file of JSON lines that only grows; a resumed run cuts it back to where its checkpoint was written. */
export interface LogFile {
  /** Length so far, in bytes. */
  readonly bytes: number;
  append(line: object): void;
  /** On disk for good. */
  sync(): void;
  close(): void;
}

export function openLog(path: string, from = 0): LogFile {
  const file = openSync(path, from === 0 ? "w" : "r+");
  const length = fstatSync(file).size;
  if (length < from) {
    closeSync(file);
    throw new InputError(`${path}: ${length} bytes, but the checkpoint was written after ${from}`, {
      path,
      length,
      from,
    });
  }
  ftruncateSync(file, from);
  let bytes = from;
  return {
    get bytes() {
      return bytes;
    },
    append: (line) => {
      const data = Buffer.from(`${JSON.stringify(line)}\n`);
      for (let done = 0; done < data.length; ) done += writeSync(file, data, done, data.length - done, bytes + done);
      bytes += data.length;
    },
    sync: () => fsyncSync(file),
    close: () => closeSync(file),
  };
}
