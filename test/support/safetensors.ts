import { readFileSync } from "node:fs";

interface Header {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export interface GoldenTensors {
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads a safetensors file of float64 arrays. */
export function readGoldenTensors(path: URL): GoldenTensors {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...headers } = JSON.parse(file.toString("utf8", 8, 8 + length));
  const tensors = Object.entries(headers as Record<string, Header>).map(
    ([
      name,
      {
        dtype,
        data_offsets: [from, to],
      },
    ]) => {
      if (dtype !== "F64") throw new Error(`${name} is ${dtype}, expected F64`);
      const bytes = Uint8Array.from(file.subarray(8 + length + from, 8 + length + to));
      return [name, new Float64Array(bytes.buffer)] as const;
    },
  );
  return { tensors: Object.fromEntries(tensors), metadata };
}
