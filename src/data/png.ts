import { inflateSync } from "node:zlib";
import { decode } from "fast-png";
import { DataError } from "../util/errors.ts";
import { assertSize, damaged, type Picture } from "./picture.ts";

/** Samples per pixel of the colour types: grey, colour, palette, grey and colour with alpha. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const PALETTE = 3;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
}

/**
 * The pixels of a PNG in 8 bits. Alpha is dropped and a palette becomes colour, as by Pillow's `convert("RGB")`; fewer bits are
 * stretched to 0 … 255, and of 16 bits the upper 8 are kept.
 * @throws DataError where the file is damaged, or interlaced with fewer than 8 bits
 */
export function decodePng(bytes: Uint8Array, path: string): Picture {
  const { header, essence, compressed } = chunksOf(bytes, path);
  const { width, height, depth, colour, interlaced } = header;
  assertSize(width, height, path);
  const samples = SAMPLES[colour];
  if (samples === undefined) throw damaged(path, "PNG", `colour type ${colour}`);
  if (interlaced && depth < 8)
    throw new DataError(`${path}: interlaced PNG of ${depth} bits`, { path }, "save it without interlacing");
  assertUnpacks(compressed, header, samples, path);
  const decoded = decodedPng(essence, path);
  const values = eightBits(decoded.data, header, samples);
  const pixels = width * height;
  if (colour === PALETTE)
    return { width, height, channels: 3, data: coloured(values, depth, decoded.palette ?? [], path) };
  const channels = samples < 3 ? 1 : 3;
  if (samples === channels) return { width, height, channels, data: values };
  const data = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) for (let c = 0; c < channels; c++) data[i * channels + c] = values[i * samples + c]!;
  return { width, height, channels, data };
}

/** The chunks that pixels are made of; others may unpack to any size, and are left out. */
function chunksOf(bytes: Uint8Array, path: string) {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = (why: string) => damaged(path, "PNG", why);
  const kept = [view.subarray(0, 8)];
  const compressed: Buffer[] = [];
  let header: Header | undefined;
  for (let at = 8; ; ) {
    const size = at + 12 <= view.length ? view.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    const end = at + 12 + size;
    if (end > view.length) throw fail("it ends too early");
    const type = view.toString("latin1", at + 4, at + 8);
    const content = view.subarray(at + 8, end - 4);
    if ((header === undefined) !== (type === "IHDR") || (type === "IHDR" && size !== 13)) throw fail("its header");
    if (type === "IHDR") {
      const [depth, colour, , , interlaced] = content.subarray(8) as unknown as number[];
      header = {
        ...{ width: content.readUInt32BE(0), height: content.readUInt32BE(4) },
        ...{ depth: depth!, colour: colour!, interlaced: interlaced !== 0 },
      };
    }
    if (type === "IDAT") compressed.push(content);
    if (ESSENTIAL.has(type)) kept.push(view.subarray(at, end));
    if (type === "IEND")
      return { header: header!, essence: Buffer.concat(kept), compressed: Buffer.concat(compressed) };
    at = end;
  }
}

const ESSENTIAL: ReadonlySet<string> = new Set(["IHDR", "PLTE", "IDAT", "IEND"]);

/** The steps of Adam7: first column and row, and the distances to the next. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Throws unless the pixels unpack to as many bytes as the header says: the decoder would take any number, or make up those that miss. */
function assertUnpacks(compressed: Uint8Array, header: Header, samples: number, path: string): void {
  const { width, height, depth, interlaced } = header;
  const bytesOf = (columns: number, rows: number) =>
    columns > 0 && rows > 0 ? rows * (1 + Math.ceil((columns * samples * depth) / 8)) : 0;
  const expected = interlaced
    ? PASSES.reduce(
        (sum, [x, y, dx, dy]) => sum + bytesOf(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
        0,
      )
    : bytesOf(width, height);
  let found: number;
  try {
    found = inflateSync(compressed, { maxOutputLength: expected }).length;
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw damaged(path, "PNG", large ? "more pixels than its header says" : (error as Error).message);
  }
  if (found < expected) throw damaged(path, "PNG", "fewer pixels than its header says");
}

function decodedPng(essence: Uint8Array, path: string) {
  try {
    return decode(essence, { checkCrc: true });
  } catch (error) {
    throw damaged(path, "PNG", (error as Error).message);
  }
}

/** One byte per sample; places in a palette stay as they are. */
function eightBits(data: ArrayLike<number>, { width, height, depth, colour }: Header, samples: number): Uint8Array {
  if (depth === 8) return data as Uint8Array;
  const values = new Uint8Array(width * height * samples);
  if (depth === 16) for (let i = 0; i < values.length; i++) values[i] = data[i]! >> 8;
  else {
    // Grey or a palette: rows of one sample, the first in the upper bits, filled up to whole bytes.
    const most = 2 ** depth - 1;
    const factor = colour === PALETTE ? 1 : 255 / most;
    const rowBytes = Math.ceil((width * depth) / 8);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const byte = data[y * rowBytes + ((x * depth) >> 3)]!;
        values[y * width + x] = ((byte >> (8 - depth - ((x * depth) & 7))) & most) * factor;
      }
  }
  return values;
}

function coloured(
  places: Uint8Array,
  depth: number,
  palette: readonly (readonly number[])[],
  path: string,
): Uint8Array {
  if (depth > 8) throw damaged(path, "PNG", "a palette of 16 bits");
  const data = new Uint8Array(3 * places.length);
  for (const [i, place] of places.entries()) {
    const colour = palette[place];
    if (colour === undefined) throw damaged(path, "PNG", `colour ${place} of a palette of ${palette.length}`);
    data.set(colour.slice(0, 3), 3 * i);
  }
  return data;
}
