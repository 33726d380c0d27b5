import { InputError } from "./errors.ts";
import { sizeOf } from "./shape.ts";

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

const MAGIC = "\x93NUMPY";

/** Reads an array in NumPy's format: float32, float64, int32, int64 (within 32 bits) or uint8, little-endian, C order. */
export function decodeNpy(bytes: Uint8Array, source: string): NpyArray {
  const fail = (message: string, hint = "numpy.save writes such files") =>
    new InputError(`${source}: ${message}`, { source }, hint);
  if (Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== MAGIC || bytes.length < 10)
    throw fail("not a NumPy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[6]! < 1 || bytes[6]! > 3) throw fail(`version ${bytes[6]}, expected 1, 2 or 3`);
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  if (bytes.length < start) throw fail("cut short in the header");
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw fail("cut short in the header");
  const header = Buffer.from(bytes.subarray(start, end)).toString("latin1");
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  if (descr === undefined || shapeText === undefined || fortran === undefined) throw fail("the header cannot be read");
  if (fortran === "True") throw fail("in Fortran order", "save numpy.ascontiguousarray(x)");
  const shape = shapeText
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map(Number);
  if (!shape.every(Number.isSafeInteger)) throw fail("the header cannot be read");
  const read = Object.hasOwn(readers, descr) ? readers[descr] : undefined;
  if (read === undefined)
    throw fail(`type ${descr}; ${Object.keys(readers).join(", ")} are read`, "convert it with x.astype(...)");
  const size = sizeOf(shape);
  const width = Number(descr.slice(2));
  if (bytes.length - end !== size * width)
    throw fail(`${bytes.length - end} bytes of data, expected ${size * width} for ${descr} [${shape.join(", ")}]`);
  return { shape, data: read(Uint8Array.from(bytes.subarray(end)).buffer, source) };
}

type Reader = (buffer: ArrayBuffer, source: string) => NpyArray["data"];

const readers: Readonly<Record<string, Reader>> = {
  "<f4": (buffer) => new Float32Array(buffer),
  "<f8": (buffer) => new Float64Array(buffer),
  "<i4": (buffer) => new Int32Array(buffer),
  "|u1": (buffer) => new Uint8Array(buffer),
  "<i8": (buffer, source) =>
    Int32Array.from(new BigInt64Array(buffer), (value, i) => {
      const small = Number(value);
      if ((small | 0) !== small)
        throw new InputError(`${source}: element ${i} is ${value}, too large for 32 bits`, { source, at: i });
      return small;
    }),
};
