import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.ts";

/**
 * Writes a file whole or not at all: beside it first, then renamed. What was there before stays until then.
 * @throws InputError where its folder is not there
 */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new InputError(`${path}: there is no folder ${folder}`, { path }, "make it first");
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  try {
    const file = openSync(temporary, "w");
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
