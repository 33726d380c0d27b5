import type { DType } from "../graph/tensor.ts";
import type { dtypes } from "../util/dtype.ts";
import type { Shape } from "../util/shape.ts";

/** The arrays that hold values of some dtype. */
export type TypedArray = ReturnType<(typeof dtypes)[DType]["allocate"]>;

/** One value at the boundary of an executable. */
export interface Port {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface SessionOptions {
  readonly threads: number;
  readonly profile: boolean;
  /** Whether the session keeps the memory of its last run for the next; else all such sessions take theirs from the process. Left out, it does. */
  readonly arena?: boolean;
}

/** Time spent in one node of the graph, over all runs, in milliseconds, and the work of one run. */
export interface NodeTime {
  readonly op: string;
  readonly node: string;
  readonly runs: number;
  readonly totalMs: number;
  readonly medianMs: number;
  /** Bytes that are read and written at least. */
  readonly bytes: number;
  /** Floating-point operations of a product or convolution by its definition; 0 for other nodes. */
  readonly flop: number;
}

/** What a runtime (onnxruntime-node, onnxruntime-web) offers: a loaded model that runs on arrays. */
export interface Session {
  run(inputs: Readonly<Record<string, TypedArray>>, outputs: Readonly<Record<string, TypedArray>>): Promise<void>;
  profile(): readonly NodeTime[];
  release(): Promise<void>;
}

/** Loads an ONNX model for a device; ports are its inputs and outputs. */
export type SessionFactory = (
  model: Uint8Array,
  inputs: readonly Port[],
  outputs: readonly Port[],
  options: SessionOptions,
) => Promise<Session>;
