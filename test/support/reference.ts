import type { ops, OpName } from "../../src/graph/ops/index.ts";
import type { ConvAttrs } from "../../src/graph/ops/conv-attrs.ts";
import type { ConstantAttrs, InputAttrs } from "../../src/graph/ops/source.ts";
import type { Op, Tensor } from "../../src/graph/tensor.ts";
import { topological } from "../../src/graph/walk.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/util/shape.ts";

/** A float64 array of a shape, row-major; booleans are 0 and 1. */
export class Values {
  readonly shape: Shape;
  readonly data: Float64Array;
  private readonly strides: readonly number[];

  constructor(shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))) {
    this.shape = shape;
    this.data = data;
    this.strides = stridesOf(shape);
  }

  /** Element position; axes are aligned on the right and an axis of length 1 is repeated. */
  private position(index: readonly number[]): number {
    const lead = index.length - this.shape.length;
    return this.shape.reduce((at, d, i) => at + (d === 1 ? 0 : index[lead + i]! * this.strides[i]!), 0);
  }

  at(...index: readonly number[]): number {
    return this.data[this.position(index)]!;
  }

  set(value: number, ...index: readonly number[]): void {
    this.data[this.position(index)] = value;
  }

  add(value: number, ...index: readonly number[]): void {
    this.set(this.at(...index) + value, ...index);
  }
}

/** Every index of a shape in row-major order. */
export function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, d) => all.flatMap((index) => Array.from({ length: d }, (_, i) => [...index, i])),
    [[]],
  );
}

const generate = (shape: Shape, value: (index: number[]) => number): Values =>
  new Values(shape, Float64Array.from(indices(shape), value));

type AttrsOf<K extends OpName> = (typeof ops)[K] extends Op<infer A> ? A : never;
type Reference<A> = (inputs: readonly Values[], attrs: A, shape: Shape) => Values;

const unary =
  (f: (x: number) => number): Reference<unknown> =>
  ([x]) =>
    new Values(x!.shape, x!.data.map(f));
const binary =
  (f: (a: number, b: number) => number): Reference<unknown> =>
  ([a, b], _, shape) =>
    generate(shape, (index) => f(a!.at(...index), b!.at(...index)));
const identity = unary((x) => x);

/** 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms of one sign, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Visits every product of the trilinear form Σ x·w·y with the places of its factors. */
function eachProduct(
  { size, kernel, stride, padding }: ConvAttrs,
  output: Shape,
  [batch, channels, filters]: readonly [number, number, number],
  visit: (x: readonly number[], w: readonly number[], y: readonly number[]) => void,
): void {
  for (const [oh, ow, i, j] of indices([output[0]!, output[1]!, ...kernel]) as [number, number, number, number][]) {
    const [h, w] = [oh * stride[0] + i - padding[0], ow * stride[1] + j - padding[1]];
    if (h < 0 || h >= size[0] || w < 0 || w >= size[1]) continue;
    for (const [n, c, k] of indices([batch, channels, filters]) as [number, number, number][])
      visit([h, w, n, c], [i, j, c, k], [oh, ow, n, k]);
  }
}

/** One naive function per op; an op without one does not compile. */
const reference: { readonly [K in Exclude<OpName, "input" | "constant">]: Reference<AttrsOf<K>> } = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  reciprocal: unary((x) => 1 / x),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  erf: unary(erf),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  relu: unary((x) => Math.max(x, 0)),
  heaviside: unary((x) => Number(x > 0)),
  stopGradient: identity,
  recompute: identity,
  greater: binary((a, b) => Number(a > b)),
  greaterEqual: binary((a, b) => Number(a >= b)),
  equal: binary((a, b) => Number(a === b)),
  where: ([c, a, b], _, shape) =>
    generate(shape, (index) => (c!.at(...index) !== 0 ? a!.at(...index) : b!.at(...index))),
  cast: ([x], { to }) =>
    new Values(
      x!.shape,
      x!.data.map((v) => (to === "bool" ? Number(v !== 0) : to === "i32" || to === "u8" ? Math.trunc(v) : v)),
    ),
  sum: ([x], _, shape) => {
    const total = new Values(shape);
    for (const index of indices(x!.shape)) total.add(x!.at(...index), ...index);
    return total;
  },
  max: ([x], _, shape) => {
    const best = new Values(shape, new Float64Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY));
    for (const index of indices(x!.shape)) best.set(Math.max(x!.at(...index), best.at(...index)), ...index);
    return best;
  },
  softmax: ([x], _, shape) => {
    const width = shape.at(-1)!;
    const rows = x!.data.map(Math.exp);
    return new Values(
      shape,
      rows.map((e, i) => {
        const start = i - (i % width);
        return e / rows.subarray(start, start + width).reduce((a, b) => a + b);
      }),
    );
  },
  broadcastTo: ([x], _, shape) => generate(shape, (index) => x!.at(...index)),
  reshape: ([x], _, shape) => new Values(shape, x!.data),
  transpose: ([x], { perm }, shape) =>
    generate(shape, (index) => x!.at(...perm.map((_, i) => index[perm.indexOf(i)]!))),
  concat: (inputs, { axis }, shape) =>
    generate(shape, (index) => {
      let [at, part] = [index[axis]!, 0];
      while (at >= inputs[part]!.shape[axis]!) at -= inputs[part++]!.shape[axis]!;
      return inputs[part]!.at(...index.with(axis, at));
    }),
  slice: ([x], { axis, start }, shape) => generate(shape, (index) => x!.at(...index.with(axis, index[axis]! + start))),
  pad: ([x], { axis, before, value }, shape) =>
    generate(shape, (index) => {
      const at = index[axis]! - before;
      return at >= 0 && at < x!.shape[axis]! ? x!.at(...index.with(axis, at)) : value;
    }),
  take: ([x], { axis, indices }, shape) =>
    generate(shape, (index) => {
      const at = indices[index[axis]!]!;
      return at < 0 ? 0 : x!.at(...index.with(axis, at));
    }),
  gather: ([table, at], _, shape) => generate(shape, ([i, ...rest]) => table!.at(at!.at(i!), ...rest)),
  scatterAdd: ([rows, at], _, shape) => {
    const result = new Values(shape);
    for (const [i, ...rest] of indices(rows!.shape)) result.add(rows!.at(i!, ...rest), at!.at(i!), ...rest);
    return result;
  },
  matmul: ([a, b], { transA, transB }, shape) => {
    const inner = a!.shape.at(transA ? -2 : -1)!;
    return generate(shape, (index) => {
      const [lead, i, j] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
      let total = 0;
      for (let k = 0; k < inner; k++)
        total += a!.at(...lead, ...(transA ? [k, i] : [i, k])) * b!.at(...lead, ...(transB ? [j, k] : [k, j]));
      return total;
    });
  },
  filterBank: ([x, f], { step, before }, shape) =>
    generate(shape, ([o, r, t, s, i]) => {
      let total = 0;
      for (let u = 0; u < f!.shape[2]!; u++)
        for (let v = 0; v < f!.shape[3]!; v++) {
          const [row, column] = [step[0] * t! + u - before[0], step[1] * s! + v - before[1]];
          const inside = row >= 0 && row < x!.shape[2]! && column >= 0 && column < x!.shape[3]!;
          if (inside) total += f!.at(r!, 0, u, v, 0) * x!.at(o!, 0, row, column, i!);
        }
      return total;
    }),
  blockedConv: ([x, w], { before }, shape) =>
    generate(shape, ([k, h, v, n, lane]) => {
      let total = 0;
      const [, blocks, kh, kw, block] = w!.shape as [number, number, number, number, number];
      for (const [b, i, j, c] of indices([blocks, kh, kw, block]) as [number, number, number, number][]) {
        const [row, column] = [h! + i - before[0], v! + j - before[1]];
        const inside = row >= 0 && row < x!.shape[1]! && column >= 0 && column < x!.shape[2]!;
        if (inside) total += x!.at(b, row, column, n!, c) * w!.at(k!, b, i, j, c, lane!);
      }
      return total;
    }),
  conv2d: ([x, w], attrs, shape) => {
    const y = new Values(shape);
    eachProduct(attrs, shape, [shape[2]!, x!.shape[3]!, shape[3]!], (ix, iw, iy) =>
      y.add(x!.at(...ix) * w!.at(...iw), ...iy),
    );
    return y;
  },
  conv2dInput: ([y, w], attrs, shape) => {
    const x = new Values(shape);
    eachProduct(attrs, y!.shape, [shape[2]!, shape[3]!, y!.shape[3]!], (ix, iw, iy) =>
      x.add(y!.at(...iy) * w!.at(...iw), ...ix),
    );
    return x;
  },
  conv2dWeight: ([x, y], attrs, shape) => {
    const w = new Values(shape);
    eachProduct(attrs, y!.shape, [y!.shape[2]!, shape[2]!, shape[3]!], (ix, iw, iy) =>
      w.add(x!.at(...ix) * y!.at(...iy), ...iw),
    );
    return w;
  },
};

export type Feeds = Readonly<Record<string, ArrayLike<number>>>;

/** The values of `outputs`, by naive float64 loops. */
export function evaluate(outputs: readonly Tensor[], feeds: Feeds): Float64Array[] {
  const done = new Map<Tensor, Values>();
  for (const node of topological(outputs)) done.set(node, compute(node, feeds, done));
  return outputs.map((y) => done.get(y)!.data);
}

function compute(node: Tensor, feeds: Feeds, done: ReadonlyMap<Tensor, Values>): Values {
  if (node.op.name === "input") {
    const data = feeds[(node.attrs as InputAttrs).name];
    if (!data) throw new Error(`the reference interpreter was not given ${(node.attrs as InputAttrs).name}`);
    return new Values(node.shape, Float64Array.from(data));
  }
  if (node.op.name === "constant") {
    const { data } = node.attrs as ConstantAttrs;
    const size = sizeOf(node.shape);
    return new Values(
      node.shape,
      typeof data === "number" ? new Float64Array(size).fill(data) : Float64Array.from(data),
    );
  }
  const naive = reference[node.op.name as keyof typeof reference] as Reference<unknown>;
  return naive(
    node.inputs.map((x) => done.get(x)!),
    node.attrs,
    node.shape,
  );
}
