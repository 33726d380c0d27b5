import { DataError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";

const UNSIGNED_BYTE = 8;

/** An array of bytes in the IDX format of MNIST: two zeros, type, rank, sizes as big-endian 32-bit numbers, the bytes. */
export function decodeIdx(bytes: Uint8Array, source: string, rank: number): { shape: number[]; data: Uint8Array } {
  const fail = (message: string) => new DataError(`${source}: ${message}`, { source }, "is it the file as published?");
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) throw fail("not an IDX file");
  if (bytes[2] !== UNSIGNED_BYTE) throw fail(`type ${bytes[2]}, expected ${UNSIGNED_BYTE} (unsigned byte)`);
  if (bytes[3] !== rank) throw fail(`${bytes[3]} dimensions, expected ${rank}`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw fail(`${bytes.length} bytes, cut short in the header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (bytes.length - header !== sizeOf(shape))
    throw fail(`${bytes.length - header} bytes of data, expected ${sizeOf(shape)} for [${shape.join(", ")}]`);
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, bytes.length - header) };
}
