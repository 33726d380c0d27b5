/** Files as their published writers make them, built byte by byte. */

type Shape = readonly number[];

/** A .npy file: the header as NumPy writes it, or `header` itself. */
export function npyFile(
  descr: string,
  shape: Shape,
  body: Uint8Array,
  { version = 1, fortran = false, header = "" } = {},
) {
  const sizes = `${shape.join(", ")}${shape.length === 1 ? "," : ""}`;
  const text = header || `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${sizes}), }`;
  const prefix = version === 1 ? 10 : 12;
  const padded = `${text.padEnd(Math.ceil((text.length + 1 + prefix) / 64) * 64 - 1 - prefix)}\n`;
  const head = Buffer.alloc(prefix);
  head.write("\x93NUMPY", "latin1");
  head[6] = version;
  if (version === 1) head.writeUInt16LE(padded.length, 8);
  else head.writeUInt32LE(padded.length, 8);
  return Buffer.concat([head, Buffer.from(padded, "latin1"), body]);
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));

export interface TarFile {
  readonly name: string;
  readonly data?: Uint8Array;
  /** Type flag; "0" is a file, "1" and "2" links, "L" and "x" long names. */
  readonly kind?: string;
  readonly prefix?: string;
  readonly link?: string;
}

/** One entry of an archive: header and data, in blocks of 512. */
export function tarEntry({ name, data = new Uint8Array(), kind = "0", prefix = "", link = "" }: TarFile): Buffer {
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0);
  header.write("0000644\0", 100);
  header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(kind, 156);
  header.write(link, 157);
  header.write("ustar\x0000", 257, "latin1");
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

export const tarFile = (...entries: readonly Uint8Array[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)]);

/** A record of a pax header, whose length counts itself. */
export function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const length = [1, 2, 3, 4].map((digits) => rest + digits).find((n) => String(n).length + rest === n)!;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** An element of a MAT-file of level 5. */
export function matElement(type: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(8 + Math.ceil(data.length / 8) * 8);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(data.length, 4);
  bytes.set(data, 8);
  return bytes;
}

/** A numeric array of a MAT-file: its class, the type of its numbers, and these. */
export const matArray = (name: string, shape: Shape, kind: number, type: number, data: ArrayBufferView): Buffer =>
  matElement(
    14,
    Buffer.concat([
      matElement(6, Uint8Array.of(kind, 0, 0, 0, 0, 0, 0, 0)),
      matElement(5, bytesOf(Int32Array.from(shape))),
      matElement(1, Buffer.from(name)),
      matElement(type, bytesOf(data)),
    ]),
  );

export function matFile(...elements: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(128, " ");
  header.writeUInt16LE(0x100, 124);
  header.write("IM", 126);
  return Buffer.concat([header, ...elements]);
}

/** A safetensors file of any header. */
export function safetensorsFile(header: object, body: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  return Buffer.concat([bytesOf(BigUint64Array.of(BigInt(json.length))), json, body]);
}
