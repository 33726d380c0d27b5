import { excerpt } from "../excerpt.ts";
import { bfloat16ToFloat32, halfToNumber } from "../half.ts";
import type { SafeData, SafeDType, SafeTensor } from "../safetensors.ts";
import { showShape, sizeOf, stridesOf } from "../shape.ts";
import type { Storage, TensorView } from "./values.ts";
import type { Fail } from "./zip.ts";

type Place = readonly [bytes: ArrayBufferLike, from: number, count: number];

interface StorageType {
  readonly width: 1 | 2 | 4 | 8;
  readonly dtype: SafeDType;
  at(...place: Place): SafeData;
}

/** PyTorch's types of numbers; what is narrower than ours is widened, without loss. */
const types: Readonly<Record<string, StorageType>> = {
  Float: { width: 4, dtype: "F32", at: (...place) => new Float32Array(...place) },
  Double: { width: 8, dtype: "F64", at: (...place) => new Float64Array(...place) },
  Half: { width: 2, dtype: "F32", at: (...place) => Float32Array.from(new Uint16Array(...place), halfToNumber) },
  BFloat16: { width: 2, dtype: "F32", at: (...place) => bfloat16ToFloat32(new Uint16Array(...place)) },
  Long: { width: 8, dtype: "I64", at: (...place) => new BigInt64Array(...place) },
  Int: { width: 4, dtype: "I32", at: (...place) => new Int32Array(...place) },
  Short: { width: 2, dtype: "I32", at: (...place) => Int32Array.from(new Int16Array(...place)) },
  Char: { width: 1, dtype: "I32", at: (...place) => Int32Array.from(new Int8Array(...place)) },
  Byte: { width: 1, dtype: "U8", at: (...place) => new Uint8Array(...place) },
  Bool: { width: 1, dtype: "U8", at: (...place) => new Uint8Array(...place) },
};

export interface Archive {
  /** The bytes of a storage, by its key; undefined where there are none. */
  storage(key: string): Uint8Array | undefined;
  readonly bigEndian: boolean;
  /** Bytes of the whole file. */
  readonly length: number;
}

/**
 * The numbers of named views, each in an array of its own and in row-major order. Every view is checked against its storage, and all together against
 * the file, before the first array is made: sizes and strides of 0 can claim any number of elements.
 */
export function materialize(
  views: ReadonlyMap<string, TensorView>,
  archive: Archive,
  fail: Fail,
): Record<string, SafeTensor> {
  let elements = 0;
  const typeOf = new Map<string, string>();
  for (const [name, { storage, offset, shape, strides }] of views) {
    const where = `data/${excerpt(storage.key)}`;
    const bytes = archive.storage(storage.key)?.length ?? fail(`${excerpt(name)}: ${where} is missing from the file`);
    if (storage.count * types[storage.type]!.width !== bytes)
      fail(`${excerpt(name)}: ${storage.count} numbers of type ${storage.type} do not fill ${where} of ${bytes} bytes`);
    if ((typeOf.get(storage.key) ?? storage.type) !== storage.type) fail(`${where} is given two types of numbers`);
    typeOf.set(storage.key, storage.type);
    const count = sizeOf(shape);
    const last = count === 0 ? -1 : shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
    if (last >= storage.count)
      fail(`${excerpt(name)} ends at number ${last} of ${where}, which has ${storage.count}: the file is damaged`);
    elements += count;
    if (elements > archive.length)
      fail(
        `${excerpt(name)} of shape ${excerpt(showShape(shape))}: more numbers than a file of ${archive.length} bytes holds`,
        "save expanded tensors as copies: tensor.clone()",
      );
  }
  const read = reader(archive);
  const tensors: Record<string, SafeTensor> = Object.create(null);
  for (const [name, view] of views) {
    const { dtype } = types[view.storage.type]!;
    tensors[name] = { dtype, shape: view.shape, data: gather(read(view.storage), view) };
  }
  return tensors;
}

/** Reads each storage once, however many views it has, and in place where it lies as this machine needs it. */
function reader({ storage, bigEndian }: Archive): (of: Storage) => SafeData {
  const done = new Map<string, SafeData>();
  return ({ key, type, count }) => {
    const { width, at } = types[type]!;
    let data = done.get(key);
    if (data === undefined) {
      const bytes = storage(key)!;
      const own = bigEndian || bytes.byteOffset % width !== 0 ? Uint8Array.from(bytes) : bytes;
      if (bigEndian) swap[width](Buffer.from(own.buffer));
      data = at(own.buffer, own.byteOffset, count);
      done.set(key, data);
    }
    return data;
  };
}

const swap = {
  1: () => undefined,
  2: (bytes: Buffer) => bytes.swap16(),
  4: (bytes: Buffer) => bytes.swap32(),
  8: (bytes: Buffer) => bytes.swap64(),
} as const;

/** The elements of a view in row-major order. */
function gather(data: SafeData, { offset, shape, strides }: TensorView): SafeData {
  const count = sizeOf(shape);
  if (count === 0 || isDense(shape, strides)) return data.slice(offset, offset + count);
  const result = new (data.constructor as { new (length: number): SafeData })(count);
  const index = shape.map(() => 0);
  for (let at = offset, i = 0; i < count; i++) {
    result[i] = data[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

const isDense = (shape: readonly number[], strides: readonly number[]): boolean => {
  const usual = stridesOf(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === usual[axis]);
};
