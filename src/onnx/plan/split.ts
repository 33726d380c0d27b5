import { attrsOf, is, withInputs } from "../../graph/op.ts";
import { concat, concatOp, slice, sliceOp } from "../../graph/ops/arrange.ts";
import { entryOf, type OpName } from "../../graph/ops/index.ts";
import { sum, sumOp } from "../../graph/ops/reduce.ts";
import { reshapeOp } from "../../graph/ops/reshape.ts";
import { input, inputOp } from "../../graph/ops/source.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import type { NamedTensor } from "../emit.ts";

/** Elements start … end-1 of a vector. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** For each input and output that the model has in parts, their ranges in order; together they are the whole vector. */
export type Splits = ReadonlyMap<string, readonly Range[]>;

/** Vectors from this length on (4 MB) are split: their arithmetic goes through memory, that of a part stays in the cache. */
const LONG = 1 << 20;

/** Neighbouring parameters smaller than this stay together, so that there are not more parts than layers. */
const SMALL = 1 << 14;

export const partName = (name: string, { start, end }: Range): string => `${name}[${start}:${end}]`;

/**
 * The same computation with long parameter vectors in parts, along the boundaries of the parameters. Arithmetic of whole vectors
 * (an optimizer's) is done part by part where the parts come up. Inputs and outputs in parts are views of the
 * caller's arrays, so parameters are not sliced and gradients not joined. Outputs named in `whole` are not split.
 */
export function splitVectors(
  outputs: readonly NamedTensor[],
  whole: ReadonlySet<string> = new Set(),
): { readonly outputs: readonly NamedTensor[]; readonly splits: Splits } {
  const order = topological(outputs.map(({ tensor }) => tensor));
  const graph = new SplitGraph(order);
  for (const node of order) graph.add(node);

  const inParts = new Map<string, readonly Range[]>();
  for (const node of order) {
    const [name, ranges] = [attrsOf(inputOp, node)?.name, graph.rangesOf(node)];
    if (name !== undefined && ranges && !graph.mustStayWhole(node)) inParts.set(name, ranges);
  }
  const named = outputs.flatMap(({ name, tensor }): NamedTensor[] => {
    if (whole.has(name) || !graph.isSplit(tensor)) return [{ name, tensor: graph.whole(tensor) }];
    const ranges = graph.rangesOf(tensor)!;
    inParts.set(name, ranges);
    return graph.parts(tensor).map((part, i) => ({ name: partName(name, ranges[i]!), tensor: unshaped(part) }));
  });
  return { outputs: named, splits: inParts };
}

/** A part is an output in whatever shape it was made: the numbers are the same, and a reshape would copy them. */
const unshaped = (x: Tensor): Tensor => (is(reshapeOp, x) ? unshaped(x.inputs[0]!) : x);

/** The graph while it is split: each node of the original has one tensor, or one per range, or both. */
class SplitGraph {
  private readonly ranges: ReadonlyMap<number, readonly Range[]>;
  private readonly readWhole: ReadonlySet<Tensor>;
  private readonly wholes = new Map<Tensor, Tensor>();
  private readonly split = new Map<Tensor, readonly Tensor[]>();

  constructor(order: readonly Tensor[]) {
    this.ranges = rangesByLength(order);
    this.readWhole = inputsReadWhole(order, (x) => this.rangesOf(x) !== undefined);
  }

  /** The ranges of a long vector; undefined for all other tensors. */
  rangesOf({ shape }: Tensor): readonly Range[] | undefined {
    return shape.length === 1 ? this.ranges.get(shape[0]!) : undefined;
  }

  isSplit(x: Tensor): boolean {
    return this.split.has(x);
  }

  mustStayWhole(x: Tensor): boolean {
    return this.readWhole.has(x);
  }

  /** The node in one tensor, joined from its parts where it has no other. */
  whole(x: Tensor): Tensor {
    const made = this.wholes.get(x) ?? concat(this.split.get(x)!, 0);
    this.wholes.set(x, made);
    return made;
  }

  /** A long vector in one tensor per range, sliced from the whole where it has no others. */
  parts(x: Tensor): readonly Tensor[] {
    const made = this.split.get(x) ?? this.rangesOf(x)!.map(({ start, end }) => slice(this.whole(x), 0, start, end));
    this.split.set(x, made);
    return made;
  }

  /** Translates a node whose inputs have been translated. */
  add(node: Tensor): void {
    const ranges = this.rangesOf(node);
    const rule = entryOf(rules, node) ?? (node.op.elementwise ? splitElementwise : undefined);
    const made = rule?.(node, ranges, this) ?? withInputs(node, node.inputs.map(this.whole, this));
    if ("op" in made) this.wholes.set(node, made);
    else this.split.set(node, made);
  }
}

/** What becomes of a node: one tensor per range, one tensor, or undefined where the node stays as it is. */
type Rule = (
  node: Tensor,
  ranges: readonly Range[] | undefined,
  graph: SplitGraph,
) => readonly Tensor[] | Tensor | undefined;

const rules: Partial<Record<OpName, Rule>> = {
  input: (node, ranges, graph) => {
    const { name } = attrsOf(inputOp, node)!;
    if (graph.mustStayWhole(node)) return undefined;
    return ranges?.map((range) => input(partName(name, range), [range.end - range.start], node.dtype));
  },
  concat: (node, ranges, graph) => {
    const parts = ranges && node.inputs.map(graph.whole, graph);
    return parts && ranges.map((range) => rangeOf(parts, range));
  },
  slice: (node, _, graph) => {
    const x = node.inputs[0]!;
    return graph.isSplit(x) ? rangeOf(graph.parts(x), attrsOf(sliceOp, node)!) : undefined;
  },
  sum: ({ inputs: [x] }, _, graph) => {
    if (!graph.isSplit(x!)) return undefined;
    const totals = graph.parts(x!).map((part) => sum(part, [0], true));
    return sum(concat(totals, 0), [0], true);
  },
};

const splitElementwise: Rule = (node, ranges, graph) =>
  ranges?.map((_, i) => {
    const isLong = (x: Tensor) => x.shape[0] === node.shape[0];
    return withInputs(
      node,
      node.inputs.map((x) => (isLong(x) ? graph.parts(x)[i]! : graph.whole(x))),
    );
  });

/** A range of the vector that `parts` make up. */
function rangeOf(parts: readonly Tensor[], { start, end }: Range): Tensor {
  const inside: Tensor[] = [];
  let at = 0;
  for (const part of parts) {
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, part.shape[0]!)];
    if (from < to) inside.push(slice(part, 0, from, to));
    at += part.shape[0]!;
  }
  return concat(inside, 0);
}

/** Where long vectors of each length are split: at the ends of their slices and of the parts they are joined from. */
function rangesByLength(order: readonly Tensor[]): Map<number, readonly Range[]> {
  const ends = new Map<number, Set<number>>();
  const add = (length: number, ...at: readonly number[]) => {
    if (length < LONG) return;
    const known = ends.get(length) ?? new Set([0, length]);
    ends.set(length, known);
    for (const end of at) known.add(end);
  };
  for (const node of order) {
    if (node.shape.length !== 1) continue;
    const sliced = attrsOf(sliceOp, node);
    if (sliced) add(node.inputs[0]!.shape[0]!, sliced.start, sliced.end);
    if (!is(concatOp, node)) continue;
    let at = 0;
    for (const part of node.inputs) {
      at += part.shape[0]!;
      add(node.shape[0]!, at);
    }
  }
  return new Map([...ends].map(([length, all]) => [length, rangesBetween([...all].sort((a, b) => a - b))]));
}

/** The ranges between neighbouring ends; small neighbours become one. */
function rangesBetween(ends: readonly number[]): Range[] {
  const ranges: { start: number; end: number }[] = [];
  const small = ({ start, end }: Range) => end - start < SMALL;
  for (let i = 1; i < ends.length; i++) {
    const next = { start: ends[i - 1]!, end: ends[i]! };
    const last = ranges.at(-1);
    if (last && small(last) && small(next)) last.end = next.end;
    else ranges.push(next);
  }
  return ranges;
}

/** Long inputs that some op without a rule for parts reads. */
function inputsReadWhole(order: readonly Tensor[], isLong: (x: Tensor) => boolean): Set<Tensor> {
  const takesParts = (node: Tensor) => is(sliceOp, node) || is(sumOp, node) || (node.op.elementwise && isLong(node));
  const readers = order.filter((node) => !takesParts(node));
  return new Set(readers.flatMap((node) => node.inputs.filter((x) => is(inputOp, x) && isLong(x))));
}
