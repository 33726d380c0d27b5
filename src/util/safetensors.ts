import { InputError } from "./errors.ts";
import { excerpt, shown } from "./excerpt.ts";
import { bfloat16ToFloat32, halfToNumber } from "./half.ts";
import { sizeOf } from "./shape.ts";

/** Types of numbers that are written; F16 and BF16 are read as well, and widened to F32. */
export type SafeDType = "F32" | "F64" | "I32" | "I64" | "U8";

export type SafeData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

export interface SafeTensor {
  readonly dtype: SafeDType;
  readonly shape: readonly number[];
  readonly data: SafeData;
}

export interface Safetensors {
  readonly tensors: Readonly<Record<string, SafeTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I64: BigInt64Array, U8: Uint8Array } as const;
const widths: Readonly<Record<string, number>> = { F32: 4, F64: 8, I32: 4, I64: 8, U8: 1, F16: 2, BF16: 2 };

const METADATA = "__metadata__";

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

/** A file in Hugging Face's safetensors format: length of the header, header in JSON, the arrays. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { [METADATA]: metadata } : {};
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (sizeOf(shape) !== data.length)
      throw new InputError(`${name}: ${data.length} numbers do not fill [${shape.join(", ")}]`, { name, shape });
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The arrays begin at a multiple of 8, so that a reader can map them.
  const padded = Math.ceil(json.length / 8) * 8;
  const file = Buffer.alloc(8 + padded + offset, " ");
  file.writeBigUInt64LE(BigInt(padded));
  json.copy(file, 8);
  let at = 8 + padded;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/** Reads such a file; `source` is what errors call it. */
export function decodeSafetensors(bytes: Uint8Array, source: string): Safetensors {
  const fail = (message: string, hint = "is it a complete safetensors file?"): never => {
    throw new InputError(`${source}: ${message}`, { source }, hint);
  };
  if (bytes.length < 8) fail(`${bytes.length} bytes are too few for safetensors`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (!(length <= bytes.length - 8)) fail(`the header is said to have ${length} bytes, the file has ${bytes.length}`);
  if (length > LONGEST_HEADER) fail(`a header of ${length} bytes, expected ${LONGEST_HEADER} at most`);
  const header = parseHeader(Buffer.from(bytes.buffer, bytes.byteOffset + 8, length).toString("utf8"), fail);
  const body = bytes.subarray(8 + length);

  const tensors: Record<string, SafeTensor> = Object.create(null);
  const taken: [number, number, string][] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) {
      if (!isTexts(entry)) fail(`${METADATA} is no table of texts`);
      metadata = entry as Readonly<Record<string, string>>;
      continue;
    }
    const { dtype, shape, from, to } = checkEntry(name, entry, body.length, fail);
    taken.push([from, to, name]);
    tensors[name] = {
      dtype: dtype in arrays ? (dtype as SafeDType) : "F32",
      shape,
      data: numbers(dtype, body, from, to),
    };
  }
  taken.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  taken.forEach(([from, , name], i) => {
    if (from !== (i === 0 ? 0 : taken[i - 1]![1]))
      fail(`the array of ${excerpt(name)} does not begin where the one before ends`);
  });
  if ((taken.at(-1)?.[1] ?? 0) !== body.length)
    fail(`the arrays end at ${taken.at(-1)?.[1] ?? 0}, the file at ${body.length}`);
  return { tensors, metadata };
}

type Fail = (message: string, hint?: string) => never;

function parseHeader(text: string, fail: Fail): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text);
    if (isRecord(header)) return header;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return fail("the header is no JSON object");
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((x) => typeof x === "string");

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0);

function checkEntry(name: string, entry: unknown, available: number, fail: Fail) {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : fail(`${excerpt(name)} is no table`);
  const width = typeof dtype === "string" && Object.hasOwn(widths, dtype) ? widths[dtype] : undefined;
  if (width === undefined)
    return fail(
      `${excerpt(name)} is of type ${typeof dtype === "string" ? excerpt(dtype) : shown(dtype)}; ${Object.keys(widths).join(", ")} are read`,
    );
  if (!isCounts(shape)) return fail(`${excerpt(name)} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) return fail(`${excerpt(name)} has no valid data_offsets`);
  const [from, to] = offsets as [number, number];
  if (to - from !== sizeOf(shape) * width)
    fail(`${excerpt(name)}: ${to - from} bytes do not fill ${dtype as string} ${shown(shape)}`);
  if (to > available) fail(`${excerpt(name)} ends at byte ${to} of ${available}: the file is cut short`);
  return { dtype: dtype as string, shape, from, to };
}

/** A copy with an alignment of its own. */
function numbers(dtype: string, body: Uint8Array, from: number, to: number): SafeData {
  const { buffer } = Uint8Array.from(body.subarray(from, to));
  if (dtype in arrays) return new arrays[dtype as SafeDType](buffer);
  const halves = new Uint16Array(buffer);
  return dtype === "BF16" ? bfloat16ToFloat32(halves) : Float32Array.from(halves, halfToNumber);
}
