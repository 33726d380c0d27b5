import crc32c from "crc-32/crc32c.js";

const LENGTH = 8;
const CHECK = 4;

/**
 * A record as TensorFlow's TFRecord files hold it: the length of the data and its check, the data and its check. The length is a
 * little-endian 64-bit number; a check is the CRC-32C, masked so that records within records do not weaken it.
 */
export function recordOf(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH + CHECK + data.length + CHECK);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(LENGTH, masked(bytes.subarray(0, LENGTH)), true);
  bytes.set(data, LENGTH + CHECK);
  view.setUint32(LENGTH + CHECK + data.length, masked(data), true);
  return bytes;
}

/** The CRC-32C, turned right by 15 bits, plus TensorFlow's constant. */
function masked(data: Uint8Array): number {
  const crc = crc32c.buf(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
