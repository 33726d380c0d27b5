import type { Emitter, Tensor } from "../tensor.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";

/** ONNX Runtime's CPU provider calls a loop per run of elements that need no broadcasting. In shorter runs the calls cost most. */
const LONG_ENOUGH = 256;
const WANTED = 1024;

/** Results below this take microseconds either way; above, memory sets the pace. */
const [SMALL, LARGE] = [1 << 16, 1 << 21];

/**
 * Repeats an operand along as many trailing axes of the result as make its runs long: [C] against [H, W, N, C] becomes
 * [N, C], a few kilobytes. 2 M elements with 64 channels take 0.15 ms where they took 0.31.
 */
export function withLongRuns(emitter: Emitter, name: string, operand: Shape, result: Tensor): string {
  const out = result.shape;
  const size = sizeOf(out);
  // A file for others (standard operators alone) may run on batches of any size.
  if (
    emitter.target.device !== "cpu" ||
    !emitter.target.contrib ||
    sizeOf(operand) === 1 ||
    size < SMALL ||
    size > LARGE
  )
    return name;
  const along = (axis: number) => operand[axis - out.length + operand.length] ?? 1;
  const run = (from: number) => sizeOf(out.slice(from));
  let axis = out.length;
  while (axis > 0 && along(axis - 1) === out[axis - 1]) axis--;
  if (axis === out.length || axis === 0 || run(axis) >= LONG_ENOUGH) return name;
  while (along(axis - 1) === 1 && run(axis) < WANTED && run(axis - 1) * 8 <= size) axis--;
  const repeats = along(axis) === 1;
  if (!repeats) return name;
  return emitter.node("Expand", [name, emitter.shape(out.map((length, i) => (i >= axis ? length : along(i))))]);
}
