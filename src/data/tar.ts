import { DataError } from "../util/errors.ts";

const BLOCK = 512;

/** The files of a tar archive (ustar), by name. */
export function readTar(bytes: Uint8Array, source: string): Map<string, Uint8Array> {
  const fail = (message: string) => new DataError(`${source}: ${message}`, { source }, "fetch it again");
  const text = (from: number, length: number) =>
    Buffer.from(bytes.subarray(from, from + length))
      .toString("latin1")
      .split("\0")[0]!;
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    if (bytes.subarray(at, at + BLOCK).every((byte) => byte === 0)) return files;
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    if (!(size >= 0)) throw fail("not a tar archive");
    const start = at + BLOCK;
    if (start + size > bytes.length) throw fail(`cut short in ${text(at, 100)}`);
    const kind = String.fromCharCode(bytes[at + 156]!);
    if (kind === "0" || kind === "\0") files.set(text(at, 100), bytes.subarray(start, start + size));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
