import { attrsOf } from "./op.ts";
import { concat, padOp } from "./ops/arrange.ts";
import { add } from "./ops/elementwise.ts";
import { constant } from "./ops/source.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Σ terms, for tensors of one shape. Terms that are disjoint zero-paddings along one axis (the cotangents of the parts of
 * a split) become one concatenation, so the cost is that of the parts and not parts × whole. Terms of the same op are
 * added first, so that linear ops can be merged.
 */
export function accumulate(terms: readonly Tensor[]): Tensor {
  const parts: Placed[] = [];
  const others: Tensor[] = [];
  for (const term of terms) {
    const placed = placement(term);
    if (placed && (parts.length === 0 || parts[0]!.axis === placed.axis)) parts.push(placed);
    else others.push(term);
  }
  const sorted = [...joinParts(parts, terms[0]!), ...others].sort((a, b) => a.op.name.localeCompare(b.op.name));
  return sorted.reduce((total, term) => add(total, term));
}

interface Placed {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly part: Tensor;
}

function placement(term: Tensor): Placed | undefined {
  const attrs = attrsOf(padOp, term);
  if (attrs?.value !== 0) return undefined;
  const part = term.inputs[0]!;
  return { axis: attrs.axis, start: attrs.before, end: attrs.before + part.shape[attrs.axis]!, part };
}

/** One concatenation per layer of non-overlapping parts; overlapping parts go into further layers. */
function joinParts(parts: readonly Placed[], like: Tensor): Tensor[] {
  const layers: Placed[][] = [];
  for (const part of parts.toSorted((a, b) => a.start - b.start)) {
    const free = layers.find((layer) => layer.at(-1)!.end <= part.start);
    if (free) free.push(part);
    else layers.push([part]);
  }
  return layers.map((layer) => {
    const { axis } = layer[0]!;
    const joined: Tensor[] = [];
    let at = 0;
    const fill = (to: number) => {
      if (to > at)
        joined.push(
          constant(
            0,
            like.shape.map((d, i) => (i === axis ? to - at : d)),
            like.dtype,
          ),
        );
    };
    for (const { start, end, part } of layer) {
      fill(start);
      joined.push(part);
      at = end;
    }
    fill(like.shape[axis]!);
    return concat(joined, axis);
  });
}
