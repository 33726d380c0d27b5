import type { DType } from "../graph/tensor.ts";
import type { Shape } from "../util/shape.ts";

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** One value at the boundary of an executable. */
export interface Port {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface SessionOptions {
  readonly threads: number;
  readonly profile: boolean;
}

/** Time spent in one node of the graph, over all runs, in milliseconds. */
export interface NodeTime {
  readonly op: string;
  readonly node: string;
  readonly runs: number;
  readonly totalMs: number;
  readonly medianMs: number;
}

/** What a runtime (onnxruntime-node, onnxruntime-web) offers: a loaded model that runs on arrays. */
export interface Session {
  run(inputs: Readonly<Record<string, TypedArray>>, outputs: Readonly<Record<string, TypedArray>>): Promise<void>;
  profile(): readonly NodeTime[];
  release(): Promise<void>;
}

export type SessionFactory = (
  model: Uint8Array,
  inputs: readonly Port[],
  outputs: readonly Port[],
  options: SessionOptions,
) => Promise<Session>;

export function allocate({ shape, dtype }: Port): TypedArray {
  const size = shape.reduce((a, b) => a * b, 1);
  switch (dtype) {
    case "f32":
      return new Float32Array(size);
    case "f64":
      return new Float64Array(size);
    case "i32":
      return new Int32Array(size);
    default:
      return new Uint8Array(size);
  }
}
