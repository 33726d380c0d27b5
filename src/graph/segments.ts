import { pullBack } from "./grad.ts";
import { apply, defineOp, withInputs } from "./op.ts";
import { recompute } from "./ops/recompute.ts";
import { rewrite } from "./rewrite.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";
import { dtypes } from "../util/dtype.ts";
import { sizeOf } from "../util/shape.ts";

interface SegmentsAttrs {
  readonly count: number;
}

/**
 * f(point), whose gradient keeps what lies between segments of the forward pass alone, and computes all but the last segment again
 * (Chen et al. 2016). The second operand says by what it is differentiated.
 */
const segmentsOp = defineOp<SegmentsAttrs>({
  name: "segments",
  shape: ([y]) => y!.shape,
  vjp: ({ g, inputs, attrs: { count } }) => {
    const [y, point] = inputs as [Tensor, Tensor];
    return [null, () => recomputing(y, point, g, count)];
  },
  emit: (_, [y]) => y!,
  view: true,
  samples: [],
});

/** f with a gradient by its argument that computes the forward pass again, in so many segments; 1 leaves it as it is. */
export const inSegments =
  (count: number, f: (point: Tensor) => Tensor) =>
  (point: Tensor): Tensor =>
    count === 1 ? f(point) : apply(segmentsOp, [f(point), point], { count });

/** The gradient of y by `point` times g. Values do not change: the same operations run again on the same numbers. */
function recomputing(y: Tensor, point: Tensor, g: Tensor, count: number): Tensor {
  const plain = pullBack([y], [g], [point]);
  const { kinds, order } = passOf(y, point);
  const segmentOf = segmented(order, count);
  const forward = new Set(topological([y]));

  const copies = new Map<Tensor, Tensor>();
  /** What segments begin with, under the name that it has in one of them. */
  const entries = new Map<Tensor, Tensor>();
  const entryOf = (x: Tensor, segment: number): Tensor => {
    const entry = recompute(x, `segment ${segment}`);
    entries.set(x, entry);
    return entry;
  };
  const copyOf = (node: Tensor, segment: number): Tensor => {
    const known = copies.get(node);
    if (known) return known;
    const within = node.inputs.some((x) => kinds.get(x) === "both");
    const copy = withInputs(
      node,
      node.inputs.map((x) => {
        if (segmentOf.get(x) === segment) return copyOf(x, segment);
        // Under another name, or the copy would be taken for the same. What parameters alone decide is shared; data are where something else differs.
        return kinds.get(x) === (within ? "both" : "data") ? entryOf(x, segment) : x;
      }),
    );
    copies.set(node, copy);
    return copy;
  };
  // In the order of the pass, as it is deeper than the call stack.
  for (const [node, segment] of segmentOf) copyOf(node, segment);
  return rewrite(plain, (node, inputs) =>
    forward.has(node)
      ? node
      : withInputs(
          node,
          // Also by the name of an entry: what a layer makes of its input is then made for both, and not kept.
          node.inputs.map((x, i) => copies.get(x) ?? entries.get(x) ?? inputs[i]!),
        ),
  )[0]!;
}

/** What a node of the pass depends on: on parameters alone, on data alone, or on both. */
type Kind = "weights" | "data" | "both";

/** The nodes of a forward pass by kind, and those of both in their order. */
function passOf(y: Tensor, point: Tensor): { readonly kinds: ReadonlyMap<Tensor, Kind>; readonly order: Tensor[] } {
  const kinds = new Map<Tensor, Kind>();
  const order: Tensor[] = [];
  for (const node of topological([y])) {
    const found = new Set(node.inputs.map((x) => kinds.get(x)).filter((kind) => kind !== undefined));
    const kind = node === point ? "weights" : node.inputs.length === 0 ? ownKind(node) : joined(found);
    if (kind !== undefined) kinds.set(node, kind);
    if (kind === "both") order.push(node);
  }
  return { kinds, order };
}

const ownKind = ({ op }: Tensor): Kind | undefined => (op.name === "input" ? "data" : undefined);

const joined = (kinds: ReadonlySet<Kind>): Kind | undefined => (kinds.size > 1 ? "both" : [...kinds][0]);

/** The segment of every node that is computed again. Those between segments are kept, and so are all of the last. */
function segmented(order: readonly Tensor[], count: number): ReadonlyMap<Tensor, number> {
  const sizes = order.map(({ op, shape, dtype }) => (op.view ? 0 : sizeOf(shape) * dtypes[dtype].bytes));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const found: { readonly node: Tensor; readonly before: number }[] = [];
  let before = 0;
  const single = new Set(bottlenecks(order));
  for (const [i, node] of order.entries()) {
    before += sizes[i]!;
    if (single.has(node)) found.push({ node, before });
  }
  const kept = new Set<Tensor>();
  for (let i = 1; i < count && found.length > 0; i++) {
    const wanted = (i / count) * total;
    const away = ({ before: at }: (typeof found)[number]) => Math.abs(at - wanted);
    kept.add(found.reduce((best, one) => (away(one) < away(best) ? one : best)).node);
  }
  const segments = new Map<Tensor, number>();
  let segment = 0;
  for (const node of order) {
    if (segment === kept.size) break;
    if (kept.has(node)) segment++;
    else segments.set(node, segment);
  }
  return segments;
}

/** The nodes after which nothing else of the pass before them is read again: the ends of a network's blocks. */
function bottlenecks(order: readonly Tensor[]): Tensor[] {
  const last = new Map<Tensor, number>();
  for (const [i, node] of order.entries()) for (const x of node.inputs) last.set(x, i);
  let reach = 0;
  const found: Tensor[] = [];
  for (const [i, node] of order.entries()) {
    // All nodes before this one were read for the last time by it or before it.
    if (i > 0 && reach <= i && i < order.length - 1) found.push(node);
    reach = Math.max(reach, last.get(node) ?? i);
  }
  return found;
}
