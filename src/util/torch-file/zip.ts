import { crc32 } from "node:zlib";
import { excerpt } from "../excerpt.ts";

/** Throws what is wrong with a file, and what to do where that is known. */
export type Fail = (message: string, hint?: string) => never;

const END = { signature: 0x06054b50, length: 22, longestComment: 0xffff } as const;
const ENTRY = { signature: 0x02014b50, length: 46 } as const;
const LOCAL = { signature: 0x04034b50, length: 30 } as const;
const ENCRYPTED = 1;

const UNCHECKED = "fetch or save it again, and with checksums: torch.serialization.set_crc32_options(True)";

interface Entry {
  readonly name: string;
  /** Where its header begins, then its data. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly crc: number;
}

/**
 * The entries of a zip archive (PKWARE's APPNOTE, 4.3) that are stored as they are, the only kind that torch.save writes. They are views of `bytes`,
 * so nothing is copied or unpacked; entries that overlap are refused, so together they are no larger than the file.
 */
export function storedEntries(bytes: Uint8Array, fail: Fail): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view, fail);
  const count = view.getUint16(end + 10, true);
  const [size, directory] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  if (count === 0xffff || directory === 0xffffffff) fail("a zip archive in zip64 form, which is not read");
  if (directory + size > end) fail("the directory of the zip archive does not lie within the file");

  const entries: Entry[] = [];
  let at = directory;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY.length > end || view.getUint32(at, true) !== ENTRY.signature)
      fail(`entry ${i} of ${count} is missing from the directory of the zip archive`);
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const next = at + ENTRY.length + lengths[0]! + lengths[1]! + lengths[2]!;
    if (next > end) fail(`entry ${i} of ${count} is cut short in the directory of the zip archive`);
    entries.push(readEntry(view, at, directory, fail));
    at = next;
  }

  entries.sort((a, b) => a.start - b.start);
  for (const [i, { name, start }] of entries.entries()) {
    const before = entries[i - 1];
    if (before && start < before.to)
      fail(`entries ${excerpt(before.name)} and ${excerpt(name)} of the zip archive overlap`);
  }
  const found = new Map<string, Uint8Array>();
  for (const { name, from, to, crc } of entries) {
    if (found.has(name)) fail(`the zip archive has two entries ${excerpt(name)}`);
    const data = bytes.subarray(from, to);
    if (crc32(data) !== crc) fail(`the checksum of ${excerpt(name)} is wrong: the file is damaged`, UNCHECKED);
    found.set(name, data);
  }
  return found;
}

/** Where the record that ends an archive begins; only a comment may follow it. */
function findEnd(view: DataView, fail: Fail): number {
  const last = view.byteLength - END.length;
  for (let at = last; at >= Math.max(0, last - END.longestComment); at--)
    if (view.getUint32(at, true) === END.signature && view.getUint16(at + 20, true) === last - at) return at;
  return fail("a zip archive without its end: the file is cut short");
}

/** An entry of the directory at `at`, its name and place checked against the header in front of its data. */
function readEntry(view: DataView, at: number, directory: number, fail: Fail): Entry {
  const text = (start: number, length: number) =>
    Buffer.from(view.buffer, view.byteOffset + start, length).toString("utf8");
  const name = text(at + ENTRY.length, view.getUint16(at + 28, true));
  const shown = excerpt(name);
  if (name.startsWith("/") || name.includes("\\") || name.split("/").includes(".."))
    fail(`the zip archive has an entry called ${shown}, which leads out of it`);
  if (view.getUint16(at + 8, true) & ENCRYPTED) fail(`${shown} is encrypted`);
  const method = view.getUint16(at + 10, true);
  if (method !== 0) fail(`${shown} is compressed (method ${method}), expected stored as torch.save does`);
  const [packed, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
  if (packed !== size) fail(`${shown} is stored in ${packed} bytes, but is said to have ${size}`);
  const local = view.getUint32(at + 42, true);
  if (local + LOCAL.length > directory || view.getUint32(local, true) !== LOCAL.signature)
    fail(`${shown} does not begin where the directory of the zip archive says`);
  const length = view.getUint16(local + 26, true);
  const from = local + LOCAL.length + length + view.getUint16(local + 28, true);
  if (from + size > directory) fail(`${shown} is said to have ${size} bytes, but the file has no room for them`);
  if (text(local + LOCAL.length, length) !== name) fail(`${shown} has another name in front of its data`);
  return { name, start: local, from, to: from + size, crc: view.getUint32(at + 16, true) };
}
