/** A file as numpy.save writes it: float32, uint8 or int64 (from int32), C order. */
export function npyBytes(values: Float32Array | Uint8Array | Int32Array, shape: readonly number[]): Uint8Array {
  const descr = values instanceof Float32Array ? "<f4" : values instanceof Uint8Array ? "|u1" : "<i8";
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10);
  head.write("\x93NUMPY", "latin1");
  head.writeUInt8(1, 6);
  head.writeUInt16LE(padded.length, 8);
  const data = values instanceof Int32Array ? BigInt64Array.from(values, BigInt) : values;
  return Buffer.concat([
    head,
    Buffer.from(padded, "latin1"),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}
