/** Reads event files of TensorBoard with nothing of ours or of a library: the format by its description alone. */

export interface Point {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

export interface EventFile {
  readonly version: string;
  readonly points: readonly Point[];
  /** Times that an event says it was at. */
  readonly times: readonly number[];
}

/** CRC-32C bit by bit: the reflected polynomial 0x82f63b78, begun and ended with all bits turned. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const masked = (bytes: Uint8Array): number => {
  const crc = BigInt(crc32c(bytes));
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
};

/** The data of the records of a TFRecord file. Throws where a check is wrong or the last record is cut short. */
export function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 8) !== masked(file.subarray(at, at + 8))) throw new Error(`length at byte ${at}`);
    if (file.readUInt32LE(at + 12 + length) !== masked(data)) throw new Error(`data at byte ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Field numbers and contents of one protobuf message: bytes, and numbers of the types that scalars use. */
function fieldsOf(message: Buffer): { readonly number: number; readonly content: Buffer | number }[] {
  const fields: { number: number; content: Buffer | number }[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    const start = at;
    at += length;
    return message.subarray(start, at);
  };
  const varint = (): number => {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const contents: Readonly<Record<number, () => Buffer | number>> = {
    0: varint,
    1: () => take(8).readDoubleLE(),
    2: () => take(varint()),
    5: () => take(4).readFloatLE(),
  };
  while (at < message.length) {
    const key = varint();
    const content = contents[key & 7];
    if (content === undefined) throw new Error(`wire type ${key & 7}`);
    fields.push({ number: key >> 3, content: content() });
  }
  return fields;
}

/** A whole file; fields are those of TensorFlow's event.proto and summary.proto. */
export function readEvents(file: Buffer): EventFile {
  const points: Point[] = [];
  const times: number[] = [];
  let version = "";
  for (const record of recordsOf(file)) {
    const event = fieldsOf(record);
    const step = Number(event.find(({ number }) => number === 2)?.content ?? 0);
    for (const { number, content } of event) {
      if (number === 1) times.push(content as number);
      if (number === 3) version = (content as Buffer).toString();
      if (number === 5)
        for (const value of fieldsOf(content as Buffer)) {
          const inner = fieldsOf(value.content as Buffer);
          const of = (wanted: number) => inner.find((field) => field.number === wanted)?.content;
          points.push({ tag: (of(1) as Buffer).toString(), step, value: (of(2) as number | undefined) ?? 0 });
        }
    }
  }
  return { version, points, times };
}
