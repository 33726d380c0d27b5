import type { Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../util/shape.ts";
import { executionOrder } from "./schedule.ts";

/** Bytes that buffers kept for one shape may take beyond what is alive at once. */
const BUDGET = 128e6;

/** Values from this size on have left the caches before their buffer is written again. */
const LARGE = 16 << 20;

/** A product over this many terms computes for longer than its result takes to write. */
const LONG_PRODUCT = 64;

/**
 * The tensors whose shapes ONNX Runtime is told. Its planner hands a freed buffer to the next value of the same known shape;
 * values of unknown shape come from the arena, which hands any freed memory to anyone. The first is faster where cores share
 * no cache: each thread works on its own part of a tensor, and in a buffer that held the same shape before, that part lies
 * where this thread wrote before, whereas arena memory is full of lines the other core owns. It is also dearer: a planned
 * buffer is kept from its first value to its last. So shapes are told class by class, those first that save most traffic per
 * byte kept, as far as `budget` goes.
 */
export function sharedBuffers(outputs: readonly Tensor[], budget = BUDGET): ReadonlySet<Tensor> {
  const values = lifetimes(outputs);
  const classes = new Map<string, Value[]>();
  for (const value of values) {
    const key = `${value.tensor.dtype}:${value.tensor.shape}`;
    if (!classes.get(key)?.push(value)) classes.set(key, [value]);
  }
  const steps = values.reduce((most, { to }) => Math.max(most, to), 0) + 1;
  const free = peak(values, steps);
  const most = free.bytes + budget;
  const worth = [...classes.values()]
    .filter(([first, second]) => second !== undefined && first!.bytes < LARGE)
    .map((members) => {
      const kept = keptBuffers(members);
      const alive = members.filter(({ from, to }) => from <= free.step && to >= free.step).length;
      const extra = Math.max(0, kept.length - alive) * members[0]!.bytes;
      const written = members.reduce((sum, { tensor, bytes }) => sum + (isLongProduct(tensor) ? 0 : bytes), 0);
      return { members, kept, gain: written / (extra + 1) };
    })
    .filter(({ gain }) => gain > 0)
    .sort((a, b) => b.gain - a.gain);

  let now: readonly Span[] = values;
  const told = new Set<Tensor>();
  for (const { members, kept } of worth) {
    const inClass = new Set<Span>(members);
    const next = [...now.filter((span) => !inClass.has(span)), ...kept];
    if (peak(next, steps).bytes > most) continue;
    now = next;
    for (const { tensor } of members) told.add(tensor);
  }
  return told;
}

/** Memory taken from one step of the execution to another, both included. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

interface Value extends Span {
  readonly tensor: Tensor;
}

/** When each value that has memory of its own is made and last read; inputs, constants and outputs live elsewhere. */
function lifetimes(outputs: readonly Tensor[]): Value[] {
  const order = executionOrder(outputs);
  const owner = new Map<Tensor, Tensor>();
  const last = new Map<Tensor, number>();
  for (const [step, node] of order.entries()) {
    owner.set(node, node.op.view ? owner.get(node.inputs[0]!)! : node);
    last.set(owner.get(node)!, step);
    for (const x of node.inputs) last.set(owner.get(x)!, step);
  }
  const elsewhere = new Set(outputs.map((y) => owner.get(y)!));
  return order.flatMap((tensor, from) =>
    tensor.inputs.length === 0 || tensor.op.view || elsewhere.has(tensor)
      ? []
      : [{ tensor, from, to: last.get(tensor)!, bytes: sizeOf(tensor.shape) * bytesPerElement[tensor.dtype] }],
  );
}

/** The buffers a class of equal shapes needs, each from its first value to its last; an elementwise result may replace its operand. */
function keptBuffers(members: readonly Value[]): Span[] {
  const kept: { from: number; to: number; bytes: number }[] = [];
  for (const { tensor, from, to, bytes } of members) {
    const free = kept.filter((buffer) => buffer.to < from + (tensor.op.elementwise ? 1 : 0));
    const latest = free.sort((a, b) => b.to - a.to)[0];
    if (latest) latest.to = to;
    else kept.push({ from, to, bytes });
  }
  return kept;
}

function peak(spans: readonly Span[], steps: number): { readonly bytes: number; readonly step: number } {
  const change = new Float64Array(steps + 1);
  for (const { from, to, bytes } of spans) {
    change[from]! += bytes;
    change[to + 1]! -= bytes;
  }
  let [bytes, step, most] = [0, 0, 0];
  for (let i = 0; i < steps; i++) {
    bytes += change[i]!;
    if (bytes > most) [most, step] = [bytes, i];
  }
  return { bytes: most, step };
}

function isLongProduct({ op, inputs, attrs }: Tensor): boolean {
  if (op.name !== "matmul") return false;
  const { transA } = attrs as { readonly transA: boolean };
  return inputs[0]!.shape.at(transA ? -2 : -1)! >= LONG_PRODUCT;
}

const bytesPerElement = { f32: 4, f64: 8, i32: 4, u8: 1, bool: 1 } as const;
