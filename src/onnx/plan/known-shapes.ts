import { attrsOf } from "../../graph/op.ts";
import { matmulOp } from "../../graph/ops/matmul.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { groupBy } from "../../util/group-by.ts";
import { type Lifetime, lifetimes, peak, type Value } from "./execution.ts";

/** Bytes that buffers kept for one shape may take beyond what is alive at once. */
const BUDGET = 128e6;

/** Values from this size on have left the caches before their buffer is written again. */
const LARGE = 16 << 20;

/** A product over this many terms computes for longer than its result takes to write. */
const LONG_PRODUCT = 64;

/**
 * The intermediate values whose shapes are declared to ONNX Runtime. Its planner gives a freed buffer to the next value of the
 * same known shape. Values of unknown shape come from the arena, which gives any freed memory to anyone.
 *
 * A planned buffer is faster where cores share no cache. Each thread works on its own part of a tensor; in a buffer that held
 * the same shape before, that part lies where the same thread wrote before. Arena memory is full of cache lines that the other
 * core owns. A planned buffer also takes more memory, because it is kept from its first value to its last. So shapes are
 * declared class by class, those first that save most traffic per byte kept, as far as `budget` goes.
 */
export function chooseKnownShapes(
  order: readonly Tensor[],
  outputs: readonly Tensor[],
  budget = BUDGET,
): ReadonlySet<Tensor> {
  const values = lifetimes(order, outputs);
  const steps = values.reduce((most, { to }) => Math.max(most, to), 0) + 1;
  const unplanned = peak(values, steps);
  const mostBytes = unplanned.bytes + budget;

  let taken: readonly Lifetime[] = values;
  const known = new Set<Tensor>();
  for (const { members, buffers } of candidates(values, unplanned.step)) {
    const inClass = new Set<Lifetime>(members);
    const next = [...taken.filter((lifetime) => !inClass.has(lifetime)), ...buffers];
    if (peak(next, steps).bytes > mostBytes) continue;
    taken = next;
    for (const { tensor } of members) known.add(tensor);
  }
  return known;
}

/** Values of one dtype and shape, and the buffers they need if their shape is known. */
interface ShapeClass {
  readonly members: readonly Value[];
  readonly buffers: readonly Lifetime[];
}

/** The classes worth declaring, those first that save most traffic per byte they keep at the step of the peak. */
function candidates(values: readonly Value[], peakStep: number): ShapeClass[] {
  return [...groupBy(values, ({ tensor }) => `${tensor.dtype}:${tensor.shape}`).values()]
    .filter(([first, second]) => second !== undefined && first!.bytes < LARGE)
    .map((members) => {
      const buffers = sharedBuffers(members);
      const alive = members.filter(({ from, to }) => from <= peakStep && to >= peakStep).length;
      const kept = Math.max(0, buffers.length - alive) * members[0]!.bytes;
      const written = members.reduce((sum, { tensor, bytes }) => sum + (isLongProduct(tensor) ? 0 : bytes), 0);
      return { members, buffers, gain: written / (kept + 1) };
    })
    .filter(({ gain }) => gain > 0)
    .sort((a, b) => b.gain - a.gain);
}

/** The buffers that values of one shape share, each kept from its first value to its last. An elementwise result may replace its operand. */
function sharedBuffers(members: readonly Value[]): Lifetime[] {
  const buffers: { from: number; to: number; bytes: number }[] = [];
  for (const { tensor, from, to, bytes } of members) {
    const free = buffers.filter((buffer) => buffer.to < from + (tensor.op.elementwise ? 1 : 0));
    const latest = free.sort((a, b) => b.to - a.to)[0];
    if (latest) latest.to = to;
    else buffers.push({ from, to, bytes });
  }
  return buffers;
}

function isLongProduct(node: Tensor): boolean {
  const product = attrsOf(matmulOp, node);
  return product !== undefined && node.inputs[0]!.shape.at(product.transA ? -2 : -1)! >= LONG_PRODUCT;
}
