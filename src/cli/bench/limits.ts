import { add } from "../../graph/ops/elementwise.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { compile } from "../../runtime/compile.ts";
import type { NodeTime } from "../../runtime/session.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";

/** What this machine does at best, in ONNX Runtime and with the threads of the benchmark. */
export interface MachineLimits {
  /** Bytes read and written by a sum of arrays that no cache holds. */
  readonly bytesPerSecond: number;
  /** Floating-point operations of a large product. */
  readonly flopPerSecond: number;
}

/** 64 MiB in float32. */
const LONG = 16 * 2 ** 20;
const SIDE = 1024;
const RUNS = 7;

/** Measures the machine: a second or two, and 200 MB. */
export async function measureLimits(threads: number): Promise<MachineLimits> {
  const rate = async (work: "bytes" | "flop", build: (a: Tensor, b: Tensor) => Tensor, shape: Shape) => {
    const length = sizeOf(shape);
    const spec = { a: { shape }, b: { shape } };
    const executable = await compile(({ a, b }) => ({ y: build(a, b) }), spec, { threads, profile: true });
    const feeds = { a: new Float32Array(length).fill(1), b: new Float32Array(length).fill(0.5) };
    for (let i = 0; i < RUNS; i++) await executable.run(feeds, { reuse: true });
    const [node] = executable.profile();
    await executable.release();
    return node![work] / (node!.medianMs / 1000);
  };
  return {
    bytesPerSecond: await rate("bytes", add, [LONG]),
    flopPerSecond: await rate("flop", matmul, [SIDE, SIDE]),
  };
}

/** Milliseconds that a node takes at least, if no cache helps: the larger of its bytes' and its operations' time. */
export const limitMs = (
  { bytes, flop }: Pick<NodeTime, "bytes" | "flop">,
  { bytesPerSecond, flopPerSecond }: MachineLimits,
): number => 1000 * Math.max(bytes / bytesPerSecond, flop / flopPerSecond);
