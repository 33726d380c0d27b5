import { InputError } from "./errors.ts";
import { excerpt } from "./excerpt.ts";
import { halfToNumber } from "./half.ts";
import { type Shape, showShape, sizeOf, stridesOf } from "./shape.ts";

export interface NpyArray {
  readonly shape: Shape;
  /** In C order. Whole numbers of up to 64 bits that fit into 32, and booleans as 0 and 1. */
  readonly data: NpyData;
  /** The type in the file, as NumPy calls it: uint8, float32. */
  readonly type: string;
}

type NpyData = Float32Array | Float64Array | Int32Array | Uint8Array;

/** How numbers of one type are read. */
interface NpyType {
  readonly name: string;
  readonly width: number;
  readonly into: new (source: number | ArrayBuffer) => NpyData;
  /** Little-endian numbers of the file are those of the array. */
  readonly plain?: true;
  readonly read: (view: DataView, at: number, little: boolean) => number | bigint;
}

/** NumPy writes a few hundred bytes. */
const LONGEST_HEADER = 2 ** 16;

const MAGIC = "\x93NUMPY";

const types: Readonly<Record<string, NpyType>> = {
  b1: { name: "bool", width: 1, into: Uint8Array, read: (view, at) => Number(view.getUint8(at) !== 0) },
  u1: { name: "uint8", width: 1, into: Uint8Array, plain: true, read: (view, at) => view.getUint8(at) },
  i1: { name: "int8", width: 1, into: Int32Array, read: (view, at) => view.getInt8(at) },
  u2: { name: "uint16", width: 2, into: Int32Array, read: (view, at, little) => view.getUint16(at, little) },
  i2: { name: "int16", width: 2, into: Int32Array, read: (view, at, little) => view.getInt16(at, little) },
  u4: { name: "uint32", width: 4, into: Int32Array, read: (view, at, little) => view.getUint32(at, little) },
  i4: { name: "int32", width: 4, into: Int32Array, plain: true, read: (view, at, little) => view.getInt32(at, little) },
  u8: { name: "uint64", width: 8, into: Int32Array, read: (view, at, little) => view.getBigUint64(at, little) },
  i8: { name: "int64", width: 8, into: Int32Array, read: (view, at, little) => view.getBigInt64(at, little) },
  f2: {
    name: "float16",
    width: 2,
    into: Float32Array,
    read: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  },
  f4: {
    name: "float32",
    width: 4,
    into: Float32Array,
    plain: true,
    read: (view, at, little) => view.getFloat32(at, little),
  },
  f8: {
    name: "float64",
    width: 8,
    into: Float64Array,
    plain: true,
    read: (view, at, little) => view.getFloat64(at, little),
  },
};

/**
 * Reads an array in NumPy's format, versions 1 to 3: booleans, whole numbers that fit into 32 bits, and floats, of either
 * byte order, in C or Fortran order.
 */
export function decodeNpy(bytes: Uint8Array, source: string): NpyArray {
  const fail = (message: string, hint = "numpy.save writes such files") =>
    new InputError(`${source}: ${message}`, { source }, hint);
  const { descr, shape, fortran, end } = readHeader(bytes, fail);
  const [order, type] = typeOf(descr, fail);
  const size = sizeOf(shape);
  if (bytes.length - end !== size * type.width)
    throw fail(
      `${bytes.length - end} bytes of data, expected ${size * type.width} for ${descr} ${excerpt(showShape(shape))}`,
    );
  const body = bytes.subarray(end);
  const little = order !== ">";
  const data =
    type.plain && (little || type.width === 1)
      ? new type.into(new Uint8Array(body).buffer)
      : converted(body, size, type, little, source);
  return { shape, data: fortran ? fromFortran(data, shape, type.into) : data, type: type.name };
}

function converted(body: Uint8Array, size: number, { read, width, into }: NpyType, little: boolean, source: string) {
  const data = new into(size);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let i = 0; i < size; i++) {
    const value = read(view, i * width, little);
    data[i] = Number(value);
    if (data instanceof Int32Array && data[i] !== Number(value))
      throw new InputError(`${source}: element ${i} is ${value}, too large for 32 bits`, { source, at: i });
  }
  return data;
}

type Fail = (message: string, hint?: string) => InputError;

function readHeader(bytes: Uint8Array, fail: Fail) {
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  if (text(0, 2) === "PK") throw fail("an archive (.npz), not one array", "numpy.save(path, archive['x']) writes one");
  if (text(0, 6) !== MAGIC || bytes.length < 10) throw fail("not a NumPy file");
  if (bytes[6]! < 1 || bytes[6]! > 3) throw fail(`version ${bytes[6]}, expected 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes[6]! >= 2 ? 12 : 10;
  if (bytes.length < start) throw fail("cut short in the header");
  const length = start === 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const end = start + length;
  if (end > bytes.length) throw fail("cut short in the header");
  if (length > LONGEST_HEADER) throw fail(`a header of ${length} bytes, expected ${LONGEST_HEADER} at most`);
  const header = text(start, end);
  if (/'descr':\s*\[/.test(header)) throw fail("an array of records", "save each field as an array of its own");
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  // Python 2 wrote long numbers, as in (3L, 4L).
  const sizes = /'shape':\s*\(((?:\s*\d+L?\s*,)*(?:\s*\d+L?)?\s*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number);
  const scalar = /'shape':\s*\(\s*\)/.test(header);
  const shape = scalar ? [] : sizes;
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || !shape?.every(Number.isSafeInteger))
    throw fail("the header cannot be read");
  return { descr, shape, fortran: fortran === "True", end };
}

function typeOf(descr: string, fail: Fail): [order: string, type: NpyType] {
  const [, order = "", code = ""] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  const type = Object.hasOwn(types, code) ? types[code] : undefined;
  if (type !== undefined) return [order, type];
  const python = code === "O" ? " (Python objects, which are never read: they can run code)" : "";
  const known = Object.values(types).map(({ name }) => name);
  throw fail(`type ${excerpt(descr)}${python}; ${known.join(", ")} are read`, "convert it with x.astype(...)");
}

/** The same array with its last axis varying fastest. */
function fromFortran(data: NpyData, shape: Shape, into: NpyType["into"]): NpyData {
  const result = new into(data.length);
  const strides = stridesOf(shape.toReversed()).toReversed();
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
