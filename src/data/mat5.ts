import { inflateSync } from "node:zlib";
import { DataError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";

/** A numeric array of a MAT-file; the first axis varies fastest. */
export interface MatArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float64Array;
}

const HEADER = 128;
const [MATRIX, COMPRESSED] = [14, 15];
/** Bit of the flags of an array. */
const COMPLEX = 8;
/** Bytes per number of the types that hold numbers (MAT-File Format, table 1-1). */
const widths: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8 };
/** The training images of SVHN take 215 MiB, and no file read here holds more than twice that; a damaged one must not take all memory. */
const MOST_BYTES = 2 ** 29;
/** Numbers other than bytes take eight bytes each once they are read. */
const MOST_NUMBERS = 2 ** 24;
/** Arrays in a file, cells and structures included; each costs a call of the decompressor. */
const MOST_ELEMENTS = 1000;

interface Element {
  readonly type: number;
  readonly data: Uint8Array;
  readonly next: number;
}

/** The numeric arrays of a MAT-file, level 5, by name (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf). */
export function readMat5(bytes: Uint8Array, source: string): Map<string, MatArray> {
  const fail = (message: string, hint = "is it the file as published?"): never => {
    throw new DataError(`${source}: ${message}`, { source }, hint);
  };
  if (Buffer.from(bytes.subarray(0, 10)).toString("latin1") === "MATLAB 7.3")
    fail("a MAT-file of version 7.3 (HDF5)", "save it with save(..., '-v7')");
  if (bytes.length < HEADER) fail(`${bytes.length} bytes are too few for a MAT-file`);
  if (viewOf(bytes).getUint16(126, true) !== 0x4d49) fail("not a little-endian MAT-file of level 5");
  const arrays = new Map<string, MatArray>();
  let [left, count] = [MOST_BYTES, 0];
  for (let at = HEADER; at < bytes.length; ) {
    const element = readElement(bytes, at, fail);
    at = element.next;
    if (++count > MOST_ELEMENTS) fail(`more than ${MOST_ELEMENTS} arrays`);
    let whole = element;
    if (element.type === COMPRESSED) {
      const plain = inflated(element.data, left, fail);
      left -= plain.length;
      whole = readElement(plain, 0, fail);
    }
    if (whole.type !== MATRIX) continue;
    const array = readMatrix(whole.data, fail);
    if (array) arrays.set(array.name, array);
  }
  return arrays;
}

type Fail = (message: string) => never;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function readElement(bytes: Uint8Array, at: number, fail: Fail): Element {
  if (at + 8 > bytes.length) fail("cut short in the tag of an element");
  const view = viewOf(bytes);
  const [word, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
  // A small element has its length in the upper half of the first word, and its data in the second.
  const small = word >>> 16;
  if (small > 4) fail("a small element of more than 4 bytes");
  if (small > 0) return { type: word & 0xffff, data: bytes.subarray(at + 4, at + 4 + small), next: at + 8 };
  const end = at + 8 + length;
  if (end > bytes.length) fail(`cut short: an element of ${length} bytes where ${bytes.length - at - 8} are left`);
  const padded = word === COMPRESSED ? end : at + 8 + Math.ceil(length / 8) * 8;
  return { type: word, data: bytes.subarray(at + 8, end), next: padded };
}

function inflated(data: Uint8Array, most: number, fail: Fail): Uint8Array {
  try {
    return inflateSync(data, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    return fail(
      large
        ? `its arrays unpack to more than ${MOST_BYTES / 2 ** 20} MiB`
        : `damaged compressed data: ${(error as Error).message}`,
    );
  }
}

function readMatrix(data: Uint8Array, fail: Fail): (MatArray & { readonly name: string }) | undefined {
  const flags = readElement(data, 0, fail);
  const dims = readElement(data, flags.next, fail);
  const name = readElement(data, dims.next, fail);
  if (flags.data.length < 8 || dims.data.length % 4 !== 0) fail("an array without flags or sizes");
  const [kind, bits = 0] = flags.data;
  // Classes 6 to 15 are numbers; cells, structures and text are none of ours.
  if (kind === undefined || kind < 6 || kind > 15) return undefined;
  const view = viewOf(dims.data);
  const shape = Array.from({ length: dims.data.length / 4 }, (_, i) => view.getInt32(4 * i, true));
  if ((bits & COMPLEX) !== 0) fail("complex numbers");
  const real = readElement(data, name.next, fail);
  const width = widths[real.type] ?? fail(`numbers of type ${real.type}`);
  const size = shape.every((d) => d >= 0) ? sizeOf(shape) : -1;
  if (real.data.length !== size * width) fail(`${real.data.length} bytes for an array of [${shape.join(", ")}]`);
  return { name: Buffer.from(name.data).toString("latin1"), shape, data: numbersOf(real, width, fail) };
}

function numbersOf({ type, data }: Element, width: number, fail: Fail): Uint8Array | Float64Array {
  if (type === 2) return data;
  if (data.length / width > MOST_NUMBERS) fail(`${data.length / width} numbers, where only bytes may be so many`);
  const view = viewOf(data);
  const exact = (value: bigint): number =>
    BigInt(Number(value)) === value ? Number(value) : fail(`${value} is too large for a number`);
  const read: Readonly<Record<number, (at: number) => number>> = {
    1: (at) => view.getInt8(at),
    3: (at) => view.getInt16(at, true),
    4: (at) => view.getUint16(at, true),
    5: (at) => view.getInt32(at, true),
    6: (at) => view.getUint32(at, true),
    7: (at) => view.getFloat32(at, true),
    9: (at) => view.getFloat64(at, true),
    12: (at) => exact(view.getBigInt64(at, true)),
    13: (at) => exact(view.getBigUint64(at, true)),
  };
  return Float64Array.from({ length: data.length / width }, (_, i) => read[type]!(i * width));
}
