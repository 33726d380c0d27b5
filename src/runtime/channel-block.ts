import { blockedConv } from "../graph/ops/blocked-conv.ts";
import { input } from "../graph/ops/source.ts";
import { emitModel } from "../onnx/emit.ts";
import { sizeOf } from "../util/shape.ts";
import { nodeSessions } from "./node-session.ts";

/** One register of AVX-512, and of what came before it. */
const CANDIDATES = [16, 8];

/**
 * Channels per block of ONNX Runtime's own convolution, found by trying: nothing names the number, and a wrong one gives wrong sums
 * instead of an error. On processors other than x64 it may have none, and then ends the process, so it is not asked there.
 */
export function channelBlock(): Promise<number | undefined> {
  found ??= process.arch === "x64" ? firstOf(CANDIDATES) : Promise.resolve(undefined);
  return found;
}

/** The processor does not change, and asking takes some milliseconds. */
let found: Promise<number | undefined> | undefined;

async function firstOf([block, ...others]: readonly number[]): Promise<number | undefined> {
  return block === undefined || (await isBlock(block)) ? block : firstOf(others);
}

/** Whether a kernel that picks the second block of channels gives this block back. */
async function isBlock(block: number): Promise<boolean> {
  const [x, w] = [input("x", [2, 1, 3, 1, block]), input("w", [1, 2, 1, 1, block, block])];
  const y = blockedConv(x, w, { before: [0, 0], after: [0, 0] });
  const target = { device: "cpu", convolution: "winograd", contrib: true, block } as const;
  const model = emitModel({ outputs: [{ name: "y", tensor: y }] }, target);
  const port = (name: string, { shape, dtype }: typeof x) => ({ name, shape, dtype });
  const session = await nodeSessions("cpu")(model.bytes, [port("x", x), port("w", w)], [port("y", y)], {
    threads: 1,
    profile: false,
  });
  const image = Float32Array.from({ length: sizeOf(x.shape) }, (_, i) => i);
  const bank = new Float32Array(sizeOf(w.shape)).map((_, i) => Number(i === block * block + (i % block) * (block + 1)));
  const result = new Float32Array(sizeOf(y.shape));
  await session.run({ x: image, w: bank }, { y: result });
  await session.release();
  return result.every((value, i) => value === image[result.length + i]);
}
