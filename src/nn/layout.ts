import { inversePermutation, split } from "../graph/ops/arrange.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { InputError } from "../util/errors.ts";
import type { Rng } from "../util/rng.ts";
import { type Shape, showShape, sizeOf, stridesOf } from "../util/shape.ts";
import { fansOf, type InitName, type InitScheme, initSchemes } from "./init.ts";

/**
 * How a parameter starts, before any checkpoint is loaded: at one number, uniform in ±uniform, or normal of deviation `normal`, where draws
 * beyond ±within are drawn again.
 */
export type Init =
  | { readonly fill: number }
  | { readonly uniform: number }
  | { readonly normal: number; readonly within?: number };

/** A named array as PyTorch knows it, and how the engine stores it. */
export interface Declaration {
  readonly name: string;
  /** PyTorch's shape. */
  readonly shape: Shape;
  /** Stored axis i is PyTorch's axis order[i]; left out, both agree. */
  readonly order?: readonly number[];
  readonly init: Init;
  /** What it is to its layer, whose weights are [out, in, ...kernel]; others start as `init` says under every scheme. */
  readonly role?: "weight" | "bias";
}

export interface Entry extends Declaration {
  readonly stored: Shape;
  readonly offset: number;
  readonly size: number;
}

/** Where each named array lies in one flat vector. */
export interface Layout {
  readonly entries: readonly Entry[];
  readonly size: number;
}

export type NumberArray = Float32Array | Float64Array;

export function layoutOf(declarations: readonly Declaration[]): Layout {
  let offset = 0;
  const entries = declarations.map((d): Entry => {
    const size = sizeOf(d.shape);
    offset += size;
    const stored = d.order ? d.order.map((axis) => d.shape[axis]!) : d.shape;
    return { ...d, stored, size, offset: offset - size };
  });
  return { entries, size: offset };
}

/** The flat vector's named parts as tensors of their stored shapes. */
export function unflatten(layout: Layout, flat: Tensor): Map<string, Tensor> {
  const parts =
    layout.entries.length === 0
      ? []
      : split(
          flat,
          layout.entries.map(({ size }) => size),
        );
  return new Map(layout.entries.map(({ name, stored }, i) => [name, reshape(parts[i]!, stored)]));
}

/** Named arrays in PyTorch's order → the flat vector. Every name must be there with the right size. */
export function pack<T extends NumberArray>(
  layout: Layout,
  arrays: Readonly<Record<string, ArrayLike<number>>>,
  flat: T,
): T {
  for (const entry of layout.entries) {
    const source = arrays[entry.name];
    if (source === undefined || source.length !== entry.size)
      throw new InputError(
        `${entry.name}: ${source === undefined ? "missing" : `${source.length} numbers`}, expected ${entry.size} of shape ${showShape(entry.shape)}`,
        { name: entry.name, shape: entry.shape },
        "do the weights belong to this model and width?",
      );
    permuted(entry, (stored, torch) => {
      flat[entry.offset + stored] = source[torch]!;
    });
  }
  return flat;
}

/** The flat vector → named arrays in PyTorch's order. */
export function unpack<T extends NumberArray>(layout: Layout, flat: T): Record<string, T> {
  return Object.fromEntries(
    layout.entries.map((entry) => {
      const part = flat.slice(0, entry.size) as T;
      permuted(entry, (stored, torch) => {
        part[torch] = flat[entry.offset + stored]!;
      });
      return [entry.name, part];
    }),
  );
}

/** The initial vector; each entry draws from its own stream, in PyTorch's element order. */
export function initialize<T extends NumberArray>(
  layout: Layout,
  stream: (name: string) => Rng,
  flat: T,
  scheme: InitName = "default",
): T {
  const arrays = layout.entries.map((entry) => [
    entry.name,
    Float64Array.from({ length: entry.size }, drawing(entry, stream(entry.name), scheme)),
  ]);
  return pack(layout, Object.fromEntries(arrays), flat);
}

/** What each number of an entry starts with. */
function drawing({ init, role, shape }: Entry, random: Rng, scheme: InitName): () => number {
  const { weight }: InitScheme = initSchemes[scheme];
  if (weight && role === "bias") return () => 0;
  if (weight && role === "weight") return () => weight(random, fansOf(shape));
  if ("fill" in init) return () => init.fill;
  if ("uniform" in init) return () => (2 * random.uniform() - 1) * init.uniform;
  const { normal, within = Number.POSITIVE_INFINITY } = init;
  return function draw(): number {
    const value = normal * random.normal();
    return Math.abs(value) <= within ? value : draw();
  };
}

/** Visits (position as stored, position in PyTorch's array) of every element. */
function permuted({ shape, order, size }: Entry, visit: (stored: number, torch: number) => void): void {
  if (!order) {
    for (let i = 0; i < size; i++) visit(i, i);
    return;
  }
  const back = inversePermutation(order);
  const storedStrides = stridesOf(order.map((axis) => shape[axis]!));
  const strides = back.map((axis) => storedStrides[axis]!);
  const index = new Array<number>(shape.length).fill(0);
  for (let torch = 0, stored = 0; torch < size; torch++) {
    visit(stored, torch);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      stored += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      stored -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}
