import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { InputError } from "../util/errors.ts";
import { syncFolder, writeAll } from "../util/files.ts";

/**
 * Opens a file of JSON lines that only grows, after its first `from` bytes: a resumed run cuts it back to where its checkpoint was
 * written. The file is made with its first line. InputError where it is shorter.
 */
export function openLog<L>(path: string, from: number) {
  let file = existsSync(path) ? openSync(path, "r+") : undefined;
  const length = file === undefined ? 0 : fstatSync(file).size;
  const close = () => file !== undefined && closeSync(file);
  if (length < from) {
    close();
    throw new InputError(
      `${path} has ${length} bytes, but the checkpoint was written after ${from}`,
      { path, length, from },
      "put the whole file back, or start the run anew in another folder",
    );
  }
  if (file !== undefined) ftruncateSync(file, from);
  let bytes = from;
  let [named, synced] = [false, false];
  return {
    /** Length so far. */
    length: () => bytes,
    append: (line: L): void => {
      file ??= openSync(path, "w");
      const data = Buffer.from(`${JSON.stringify(line)}\n`);
      synced = false;
      writeAll(file, data, bytes);
      bytes += data.length;
    },
    /** On disk for good, with its name. */
    sync: (): void => {
      if (file === undefined || synced) return;
      fsyncSync(file);
      if (!named) syncFolder(dirname(path));
      synced = named = true;
    },
    close,
  };
}
