import { withInputs } from "../../graph/op.ts";
import { convInputOp, convWeightOp } from "../../graph/ops/conv.ts";
import { add, addOp, mul, mulOp } from "../../graph/ops/elementwise.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import { sameShape, sizeOf } from "../../util/shape.ts";

/** image · Π factors, or Π factors alone; every factor is one number per channel, or one for all. */
interface Term {
  readonly image: Tensor | undefined;
  readonly factors: readonly Tensor[];
}

/**
 * Takes a scale of the channels out of a gradient that only convolutions read: Σ imageᵢ·sᵢ·f = (Σ imageᵢ·sᵢ)·f, and f goes to the
 * weights, which are smaller,
 *
 *     conv2dInput(y·f, w) = conv2dInput(y, w·f)        conv2dWeight(x, y·f) = conv2dWeight(x, y)·f
 *
 * Behind a batch normalization f is weight/σ, and the first image then needs no multiplication of its own: one pass over the
 * activations less per layer.
 */
export function scaleWeights(outputs: readonly Tensor[]): Tensor[] {
  const order = topological(outputs);
  const users = usersOf(order, outputs);
  const done = new Map<Tensor, Tensor>();
  const of = (x: Tensor): Tensor => done.get(x)!;
  const factored = new Map<Tensor, { readonly rest: Tensor; readonly scale: Tensor } | undefined>();
  const factorOnce = (gradient: Tensor) => {
    if (!factored.has(gradient)) factored.set(gradient, factor(gradient, users, of));
    return factored.get(gradient);
  };
  for (const node of order) {
    const inputs = node.inputs.map(of);
    const [a, b] = inputs;
    const gradient = node.op === convInputOp ? node.inputs[0] : node.op === convWeightOp ? node.inputs[1] : undefined;
    const parts = gradient && factorOnce(gradient);
    if (parts && node.op === convInputOp) done.set(node, withInputs(node, [parts.rest, mul(b!, parts.scale)]));
    else if (parts) done.set(node, mul(withInputs(node, [a!, parts.rest]), parts.scale));
    else done.set(node, inputs.every((x, i) => x === node.inputs[i]) ? node : withInputs(node, inputs));
  }
  return outputs.map(of);
}

/** The users of every node; an output has one more. */
function usersOf(order: readonly Tensor[], outputs: readonly Tensor[]): Map<Tensor, (Tensor | undefined)[]> {
  const users = new Map<Tensor, (Tensor | undefined)[]>(order.map((node) => [node, []]));
  for (const node of order) for (const x of node.inputs) users.get(x)!.push(node);
  for (const output of outputs) users.get(output)!.push(undefined);
  return users;
}

type Users = ReadonlyMap<Tensor, readonly (Tensor | undefined)[]>;

/** gradient = rest · scale, where that saves a pass and the weights are smaller than the gradient. */
function factor(gradient: Tensor, users: Users, of: (x: Tensor) => Tensor) {
  const readers = users.get(gradient)!;
  const small = readers.every((reader) => {
    const weight = reader?.op === convInputOp ? reader.inputs[1] : reader?.op === convWeightOp ? reader : undefined;
    return weight !== undefined && weight !== gradient && 2 * sizeOf(weight.shape) < sizeOf(gradient.shape);
  });
  if (!small) return undefined;
  const terms = termsOf(gradient, gradient, users);
  const common = terms
    .map(({ factors }): readonly Tensor[] => factors.filter(isPerChannel))
    .reduce((a, b) => pick(a, b).found);
  const rest = terms.map(({ image, factors }) => ({ image, factors: pick(factors, common).left }));
  if (common.length === 0 || !rest.some(({ image, factors }) => image && factors.length === 0)) return undefined;
  const product = (factors: readonly Tensor[]) => factors.map(of).reduce((a, b) => mul(a, b));
  const value = ({ image, factors }: Term): Tensor =>
    image === undefined ? product(factors) : factors.length === 0 ? of(image) : mul(of(image), product(factors));
  return { rest: rest.map(value).reduce((a, b) => add(a, b)), scale: product(common) };
}

/** The terms of a sum, as far as nothing else uses what lies between. */
function termsOf(node: Tensor, whole: Tensor, users: Users): Term[] {
  const own = node === whole || users.get(node)!.length === 1;
  if (own && node.op === addOp) return node.inputs.flatMap((x) => termsOf(x, whole, users));
  if (!sameShape(node.shape, whole.shape)) return [{ image: undefined, factors: factorsOf(node) }];
  const scale = node.op === mulOp ? node.inputs.find(isFactor) : undefined;
  const image = node.inputs.find((x) => sameShape(x.shape, whole.shape));
  return own && scale && image ? [{ image, factors: factorsOf(scale) }] : [{ image: node, factors: [] }];
}

const factorsOf = (node: Tensor): Tensor[] =>
  node.op === mulOp && node.inputs.every(isFactor) ? node.inputs.flatMap(factorsOf) : [node];

/** Varies along the last axis at most. */
const isFactor = ({ shape }: Tensor): boolean => sizeOf(shape.slice(0, -1)) === 1;
const isPerChannel = (node: Tensor): boolean => isFactor(node) && sizeOf(node.shape) > 1;

/** The tensors of `list` that are in `wanted`, each as often as in both, and those that are left. */
function pick(
  list: readonly Tensor[],
  wanted: readonly Tensor[],
): { found: readonly Tensor[]; left: readonly Tensor[] } {
  const open = [...wanted];
  const [found, left]: [Tensor[], Tensor[]] = [[], []];
  for (const x of list) {
    const at = open.indexOf(x);
    if (at >= 0) open.splice(at, 1);
    (at >= 0 ? found : left).push(x);
  }
  return { found, left };
}
