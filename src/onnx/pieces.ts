import { withInputs } from "../graph/op.ts";
import { concat, concatOp, slice, sliceOp } from "../graph/ops/arrange.ts";
import { sum, sumOp } from "../graph/ops/reduce.ts";
import { input } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import type { NamedTensor } from "./emit.ts";

/** A stretch of a vector that has inputs and outputs of its own: elements start … end-1. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface Pieces {
  readonly outputs: readonly NamedTensor[];
  /** For each input and output that was cut, its stretches. */
  readonly cut: ReadonlyMap<string, readonly Stretch[]>;
}

/** Vectors from this length on (4 MB) are cut: their arithmetic goes through memory, that of a piece stays in the cache. */
const LONG = 1 << 20;

/** Neighbouring parameters smaller than this stay together, so that there are not more pieces than layers. */
const SMALL = 1 << 14;

export const pieceName = (name: string, { start, end }: Stretch): string => `${name}[${start}:${end}]`;

/**
 * The same computation with long parameter vectors in pieces, along the boundaries of the parameters. Arithmetic of whole vectors
 * (an optimizer's) is done piece by piece where the pieces come up; inputs and outputs in pieces are views of the
 * caller's arrays, so parameters are neither sliced nor gradients joined. Outputs called in `whole` stay in one piece.
 */
export function inPieces(outputs: readonly NamedTensor[], whole: ReadonlySet<string> = new Set()): Pieces {
  const order = topological(outputs.map(({ tensor }) => tensor));
  const cuts = stretchesByLength(order);
  const kept = readWhole(order, cuts);
  const cut = new Map<string, readonly Stretch[]>();
  const done = new Map<Tensor, Tensor>();
  const parts = new Map<Tensor, readonly Tensor[]>();

  const one = (x: Tensor): Tensor => {
    const known = done.get(x);
    if (known) return known;
    const joined = concat(parts.get(x)!, 0);
    done.set(x, joined);
    return joined;
  };
  const piecesOf = (x: Tensor, stretches: readonly Stretch[]): readonly Tensor[] => {
    const known = parts.get(x);
    if (known) return known;
    const made = stretches.map(({ start, end }) => slice(one(x), 0, start, end));
    parts.set(x, made);
    return made;
  };

  for (const node of order) {
    const stretches = node.shape.length === 1 ? cuts.get(node.shape[0]!) : undefined;
    const [x] = node.inputs;
    const name = node.op.name;
    if (stretches && name === "input" && !kept.has(node)) {
      const port = (node.attrs as { readonly name: string }).name;
      cut.set(port, stretches);
      parts.set(
        node,
        stretches.map((s) => input(pieceName(port, s), [s.end - s.start], node.dtype)),
      );
    } else if (stretches && name === concatOp.name) {
      parts.set(
        node,
        stretches.map((s) => stretchOf(node.inputs, one, s)),
      );
    } else if (stretches && node.op.elementwise) {
      const long = (y: Tensor) => y.shape[0] === node.shape[0];
      parts.set(
        node,
        stretches.map((_, i) =>
          withInputs(
            node,
            node.inputs.map((y) => (long(y) ? piecesOf(y, stretches)[i]! : one(y))),
          ),
        ),
      );
    } else if (name === sliceOp.name && parts.has(x!)) {
      done.set(
        node,
        stretchOf(parts.get(x!)!, (part) => part, node.attrs as Stretch),
      );
    } else if (name === sumOp.name && parts.has(x!)) {
      const totals = parts.get(x!)!.map((part) => sum(part, [0], true));
      done.set(node, sum(concat(totals, 0), [0], true));
    } else if (name === "input") {
      done.set(node, node);
    } else {
      done.set(node, withInputs(node, node.inputs.map(one)));
    }
  }

  return {
    cut: new Map([
      ...cut,
      ...outputs.flatMap(({ name, tensor }) =>
        parts.has(tensor) && !whole.has(name) ? [[name, cuts.get(tensor.shape[0]!)!] as const] : [],
      ),
    ]),
    outputs: outputs.flatMap(({ name, tensor }) => {
      const pieces = whole.has(name) ? undefined : parts.get(tensor);
      const stretches = cuts.get(tensor.shape[0] ?? 0)!;
      return pieces
        ? pieces.map((piece, i) => ({ name: pieceName(name, stretches[i]!), tensor: unshaped(piece) }))
        : [{ name, tensor: one(tensor) }];
    }),
  };
}

/** A piece goes out in whatever shape it was made: the numbers are the same, and a reshape would copy them. */
const unshaped = (x: Tensor): Tensor => (x.op.name === "reshape" ? unshaped(x.inputs[0]!) : x);

/** Where vectors of each length are cut: at the ends of their slices and of the parts they are joined from. */
function stretchesByLength(order: readonly Tensor[]): Map<number, readonly Stretch[]> {
  const ends = new Map<number, Set<number>>();
  const add = (length: number, ...at: readonly number[]) => {
    if (length < LONG) return;
    const known = ends.get(length) ?? new Set([0, length]);
    ends.set(length, known);
    for (const end of at) known.add(end);
  };
  for (const node of order) {
    if (node.shape.length !== 1) continue;
    if (node.op.name === sliceOp.name) {
      const { start, end } = node.attrs as Stretch;
      add(node.inputs[0]!.shape[0]!, start, end);
    } else if (node.op.name === concatOp.name) {
      let at = 0;
      for (const part of node.inputs) {
        at += part.shape[0]!;
        add(node.shape[0]!, at);
      }
    }
  }
  return new Map([...ends].map(([length, all]) => [length, together([...all].sort((a, b) => a - b))]));
}

function together(ends: readonly number[]): Stretch[] {
  const stretches: { start: number; end: number }[] = [];
  const small = ({ start, end }: Stretch) => end - start < SMALL;
  for (let i = 1; i < ends.length; i++) {
    const next = { start: ends[i - 1]!, end: ends[i]! };
    const last = stretches.at(-1);
    if (last && small(last) && small(next)) last.end = next.end;
    else stretches.push(next);
  }
  return stretches;
}

/** Inputs that something reads as a whole. */
function readWhole(order: readonly Tensor[], cuts: ReadonlyMap<number, unknown>): Set<Tensor> {
  const long = (x: Tensor) => x.shape.length === 1 && cuts.has(x.shape[0]!);
  const kept = new Set<Tensor>();
  for (const node of order) {
    if (node.op.name === sliceOp.name || (node.op.elementwise && long(node)) || node.op.name === sumOp.name) continue;
    for (const x of node.inputs) if (x.op.name === "input" && long(x)) kept.add(x);
  }
  return kept;
}

/** The elements of a stretch of a vector, from the parts it is joined from. */
function stretchOf(parts: readonly Tensor[], one: (x: Tensor) => Tensor, { start, end }: Stretch): Tensor {
  const inside: Tensor[] = [];
  let at = 0;
  for (const part of parts) {
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, part.shape[0]!)];
    if (from < to) inside.push(slice(one(part), 0, from, to));
    at += part.shape[0]!;
  }
  return concat(inside, 0);
}
