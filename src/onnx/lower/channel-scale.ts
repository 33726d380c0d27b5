import { is, withInputs } from "../../graph/op.ts";
import { convInputOp, convWeightOp } from "../../graph/ops/conv.ts";
import { add, addOp, mul, mulOp } from "../../graph/ops/elementwise.ts";
import { rewrite } from "../../graph/rewrite.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { type Users, usersOf } from "../../graph/walk.ts";
import { sameShape, sizeOf } from "../../util/shape.ts";

/** One summand of a gradient: image · Π factors, or Π factors alone. A factor has one number per channel, or one for all. */
interface Summand {
  readonly image: Tensor | undefined;
  readonly factors: readonly Tensor[];
}

/** A gradient as image · scale: `scale` are the factors that all summands have, `summands` what is left of each. */
interface Factored {
  readonly summands: readonly Summand[];
  readonly scale: readonly Tensor[];
}

/**
 * Takes a scale of the channels out of a gradient that only convolutions read: Σ imageᵢ·sᵢ·f = (Σ imageᵢ·sᵢ)·f. It then
 * multiplies the weights, which are smaller,
 *
 *     conv2dInput(y·f, w) = conv2dInput(y, w·f)        conv2dWeight(x, y·f) = conv2dWeight(x, y)·f
 *
 * Behind a batch normalization f is weight/σ, and the first image then needs no multiplication of its own: one pass over the
 * activations less per layer.
 */
export function scaleWeights(outputs: readonly Tensor[]): Tensor[] {
  const users = usersOf(outputs);
  const seen = new Map<Tensor, { readonly image: Tensor; readonly scale: Tensor } | undefined>();
  return rewrite(outputs, (node, inputs, rewritten) => {
    const isInput = is(convInputOp, node);
    const gradient = isInput ? node.inputs[0] : is(convWeightOp, node) ? node.inputs[1] : undefined;
    if (!gradient) return withInputs(node, inputs);
    if (!seen.has(gradient)) {
      const factored = factor(gradient, users);
      seen.set(gradient, factored && rebuilt(factored, rewritten));
    }
    const parts = seen.get(gradient);
    if (!parts) return withInputs(node, inputs);
    return isInput
      ? withInputs(node, [parts.image, mul(inputs[1]!, parts.scale)])
      : mul(withInputs(node, [inputs[0]!, parts.image]), parts.scale);
  });
}

/** The gradient's parts, where taking them apart saves a pass and the weights are smaller than the gradient. */
function factor(gradient: Tensor, users: Users): Factored | undefined {
  const scalesWeights = users.get(gradient)!.every((reader) => {
    const weight = is(convInputOp, reader) ? reader!.inputs[1] : is(convWeightOp, reader) ? reader : undefined;
    return weight !== undefined && weight !== gradient && 2 * sizeOf(weight.shape) < sizeOf(gradient.shape);
  });
  if (!scalesWeights) return undefined;
  const all = summandsOf(gradient, gradient, users);
  const scale = all
    .map(({ factors }): readonly Tensor[] => factors.filter(isPerChannel))
    .reduce((common, factors) => partition(common, factors).shared);
  const summands = all.map(({ image, factors }) => ({ image, factors: partition(factors, scale).others }));
  const savesPass = summands.some(({ image, factors }) => image && factors.length === 0);
  return scale.length > 0 && savesPass ? { summands, scale } : undefined;
}

/** The image and the scale as tensors of the rewritten graph. */
function rebuilt({ summands, scale }: Factored, rewritten: (x: Tensor) => Tensor) {
  const product = (factors: readonly Tensor[]) => factors.map(rewritten).reduce((a, b) => mul(a, b));
  const value = ({ image, factors }: Summand): Tensor => {
    if (image === undefined) return product(factors);
    return factors.length === 0 ? rewritten(image) : mul(rewritten(image), product(factors));
  };
  return { image: summands.map(value).reduce((a, b) => add(a, b)), scale: product(scale) };
}

/** The summands of a gradient, as far as nothing else uses what lies between. */
function summandsOf(node: Tensor, gradient: Tensor, users: Users): Summand[] {
  const usedOnce = node === gradient || users.get(node)!.length === 1;
  if (usedOnce && is(addOp, node)) return node.inputs.flatMap((x) => summandsOf(x, gradient, users));
  if (!sameShape(node.shape, gradient.shape)) return [{ image: undefined, factors: factorsOf(node) }];
  const scale = is(mulOp, node) ? node.inputs.find(isFactor) : undefined;
  const image = node.inputs.find((x) => sameShape(x.shape, gradient.shape));
  return usedOnce && scale && image ? [{ image, factors: factorsOf(scale) }] : [{ image: node, factors: [] }];
}

const factorsOf = (node: Tensor): Tensor[] =>
  is(mulOp, node) && node.inputs.every(isFactor) ? node.inputs.flatMap(factorsOf) : [node];

/** Varies along the last axis at most. */
const isFactor = ({ shape }: Tensor): boolean => sizeOf(shape.slice(0, -1)) === 1;
const isPerChannel = (node: Tensor): boolean => isFactor(node) && sizeOf(node.shape) > 1;

/** The tensors of `list` that are in `wanted` too, each as often as in both, and the others. */
function partition(list: readonly Tensor[], wanted: readonly Tensor[]) {
  const open = [...wanted];
  const [shared, others]: [Tensor[], Tensor[]] = [[], []];
  for (const x of list) {
    const at = open.indexOf(x);
    if (at >= 0) open.splice(at, 1);
    (at >= 0 ? shared : others).push(x);
  }
  return { shared, others };
}
