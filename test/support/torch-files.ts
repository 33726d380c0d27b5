import { crc32 } from "node:zlib";

/** What an entry of an archive says of itself; by default, the truth. */
export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly packed?: number;
  /** Where the directory says that the entry begins. */
  readonly at?: number;
  /** The name in front of the data. */
  readonly localName?: string;
}

/** A zip archive of stored entries. */
export function zipFile(entries: readonly ZipEntry[], { count = entries.length, comment = "" } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, data, method = 0, flags = 0, crc = crc32(data), size = data.length, packed = size } = entry;
    const header = Buffer.alloc(42);
    header.writeUInt32LE(0x02014b50);
    header.writeUInt16LE(flags, 8);
    header.writeUInt16LE(method, 10);
    header.writeUInt32LE(crc, 16);
    header.writeUInt32LE(packed, 20);
    header.writeUInt32LE(size, 24);
    header.writeUInt16LE(Buffer.byteLength(name), 28);
    const place = Buffer.alloc(4);
    place.writeUInt32LE(entry.at ?? at);
    directory.push(header, place, Buffer.from(name));
    const local = Buffer.from(entry.localName ?? name);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50);
    head.writeUInt16LE(local.length, 26);
    parts.push(head, local, Buffer.from(data));
    at += head.length + local.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...parts, ...directory, end, Buffer.from(comment)]);
}

/** An archive as torch.save makes it of a pickle, written as one character a byte, and numbers beside it. */
export const torchFile = (
  pickle: string | Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly ZipEntry[] = [],
): Buffer =>
  zipFile([
    { name: "net/data.pkl", data: typeof pickle === "string" ? Buffer.from(pickle, "latin1") : pickle },
    ...more,
    ...Object.entries(storages).map(([key, data]) => ({ name: `net/data/${key}`, data })),
  ]);

/** Parts of a pickle of protocol 2, one character a byte. */
export const pickled = {
  text: (text: string): string => `X${long(Buffer.byteLength(text))}${Buffer.from(text).toString("latin1")}`,
  /** As LONG1 of eight bytes, which holds every size. */
  count: (value: number | bigint): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return `\x8a\x08${bytes.toString("latin1")}`;
  },
  tuple: (...items: readonly string[]): string => `(${items.join("")}t`,
  global: (module: string, name: string): string => `c${module}\n${name}\n`,
  dict: (items: Readonly<Record<string, string>>): string =>
    `}(${Object.entries(items)
      .map(([key, value]) => pickled.text(key) + value)
      .join("")}u`,
  file: (value: string): string => `\x80\x02${value}.`,
};

function long(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString("latin1");
}

export interface PickledTensor {
  readonly type?: string;
  readonly key?: string;
  readonly count: number | bigint;
  readonly offset?: number | bigint;
  readonly shape: readonly (number | bigint)[];
  readonly strides: readonly (number | bigint)[];
}

/** The call by which torch.save describes a tensor. */
export function tensor({ type = "FloatStorage", key = "0", count, offset = 0, shape, strides }: PickledTensor): string {
  const { text, tuple, global } = pickled;
  const storage = `${tuple(text("storage"), global("torch", type), text(key), text("cpu"), pickled.count(count))}Q`;
  const counts = (values: readonly (number | bigint)[]) => tuple(...values.map(pickled.count));
  const hooks = `${global("collections", "OrderedDict")})R`;
  const args = tuple(storage, pickled.count(offset), counts(shape), counts(strides), "\x89", hooks);
  return `${global("torch._utils", "_rebuild_tensor_v2")}${args}R`;
}
