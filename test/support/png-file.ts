import { deflateSync } from "node:zlib";

/** A chunk of a PNG. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(checksum(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** CRC-32 by its definition: crc32 of node:zlib is younger than Node 20.19. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

interface PngParts {
  readonly colour?: number;
  readonly depth?: number;
  readonly interlaced?: boolean;
  /** Chunks before the pixels. */
  readonly before?: Uint8Array;
}

/** A PNG of rows that begin with their filter. */
export function png(width: number, height: number, raw: Uint8Array, parts: PngParts = {}): Buffer {
  const { colour = 0, depth = 8, interlaced = false, before = Buffer.alloc(0) } = parts;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, Number(interlaced)], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    ...[chunk("IHDR", header), before, chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))],
  ]);
}

/** A grey or coloured PNG whose pixels are given by place, without filters. */
export function picture(side: number, channels: 1 | 3, value: (x: number, y: number, c: number) => number): Buffer {
  const raw = Buffer.alloc(side * (1 + side * channels));
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < channels; c++) raw[y * (1 + side * channels) + 1 + x * channels + c] = value(x, y, c);
  return png(side, side, raw, { colour: channels === 1 ? 0 : 2 });
}
