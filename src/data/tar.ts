import { DataError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";

const BLOCK = 512;

/** Type flags of a header (POSIX pax, and GNU's own). */
const FILE = ["0", "\0", "7"];
const LINK = ["1", "2"];
const [GNU_NAME, PAX, PAX_GLOBAL] = ["L", "x", "g"];

/** What an entry is: the bytes of a file, or a link, which is never followed. */
export type TarEntry = Uint8Array | "link";

/**
 * The files and links of a tar archive by name: ustar, GNU or pax, long names included. Everything stays in memory: no name
 * becomes a path, whatever it holds.
 */
export function readTar(bytes: Uint8Array, source: string): Map<string, TarEntry> {
  const fail = (message: string) => new DataError(`${source}: ${message}`, { source }, "fetch it again");
  const files = new Map<string, TarEntry>();
  let next: { readonly name?: string | undefined; readonly size?: number | undefined } = {};
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    if (!hasChecksum(header)) throw fail(`not a tar archive, or damaged at byte ${at}`);
    const size = next.size ?? numberIn(header.subarray(124, 136));
    const name = next.name ?? nameIn(header);
    if (!(Number.isSafeInteger(size) && size >= 0)) throw fail(`${excerpt(name)} has no valid size`);
    const start = at + BLOCK;
    if (start + size > bytes.length) throw fail(`cut short in ${excerpt(name)}`);
    const kind = String.fromCharCode(header[156]!);
    const data = bytes.subarray(start, start + size);
    if (kind === GNU_NAME) next = { ...next, name: text(data) };
    else if (kind === PAX) next = { ...next, ...paxRecords(data, fail) };
    else if (kind !== PAX_GLOBAL) {
      if (FILE.includes(kind)) files.set(name, data);
      else if (LINK.includes(kind)) files.set(name, "link");
      next = {};
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** Text up to the first zero. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8").split("\0", 1)[0]!;

/** ustar keeps the folders of a long name apart; GNU's old format has other things in that place. */
function nameIn(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const prefix = text(header.subarray(257, 263)) === "ustar" ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** In octal digits, or (GNU) in binary behind a first byte of 0x80. */
function numberIn(field: Uint8Array): number {
  if (field[0] === 0x80) return field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
  const digits = text(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : Number.NaN;
}

/** The sum of a header's bytes, its own field counted as blanks. */
function hasChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return sum === numberIn(header.subarray(148, 156));
}

/** Name and size among the records "LENGTH KEY=VALUE\n" of a pax header. */
function paxRecords(data: Uint8Array, fail: (message: string) => DataError) {
  const found: Record<string, string> = Object.create(null);
  for (let at = 0; at < data.length; ) {
    const length = Number(/^(\d{1,9}) /.exec(Buffer.from(data.subarray(at, at + 10)).toString("latin1"))?.[1]);
    const record = Buffer.from(data.subarray(at, at + length)).toString("utf8");
    const [, key, value] = /^\d+ ([^=]*)=([\s\S]*)\n$/.exec(record) ?? [];
    if (!(length > 0) || at + length > data.length || key === undefined) throw fail("a pax header that cannot be read");
    found[key] = value!;
    at += length;
  }
  return {
    ...(found.path === undefined ? {} : { name: found.path }),
    ...(found.size === undefined ? {} : { size: /^\d+$/.test(found.size) ? Number(found.size) : Number.NaN }),
  };
}
