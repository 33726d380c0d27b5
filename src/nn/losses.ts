import { cast, equal, greater } from "../graph/ops/compare.ts";
import { abs, add, exp, log, maximum, mul, neg, sigmoid, sub } from "../graph/ops/elementwise.ts";
import { sum } from "../graph/ops/reduce.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ShapeError } from "../util/errors.ts";
import { namesOf } from "../util/names.ts";
import { sameShape, showShape } from "../util/shape.ts";
import { correct } from "./accuracy.ts";
import { crossEntropy, logSoftmax, mean, smoothed, softmax } from "./functions.ts";

/**
 * What a network predicts: integer labels below `classes`, one per example or as many as `shape` says, [N, …shape]; or real values
 * [N, …shape].
 */
export type Targets =
  | { readonly kind: "labels"; readonly classes: number; readonly shape?: readonly number[] | undefined }
  | { readonly kind: "values"; readonly shape: readonly number[] };

export interface LossSettings {
  /** The part of the target that is spread evenly over all classes; cross-entropy alone reads it. */
  readonly labelSmoothing: number;
}

/** A loss of one's own: outputs [N, …] and targets [N, …] to the mean over the mini-batch, a scalar. */
export type LossFunction = (output: Tensor, target: Tensor) => Tensor;

/** How a network's outputs are judged. */
export interface LossRule {
  readonly kind: "loss";
  readonly name: string;
  /** One line: the formula. */
  readonly summary: string;
  /** The kind of targets it takes; left out, any. */
  readonly targets?: Targets["kind"];
  /** Least and largest value of a target; left out, any. */
  readonly within?: readonly [number, number];
  /** Whether it reads label smoothing, `each` too where there is one. */
  readonly smooths?: boolean;
  /** The mean over the mini-batch, []. */
  mean(output: Tensor, target: Tensor, settings: LossSettings): Tensor;
  /** The loss of each example, [N], without label smoothing where no settings are given; left out where only the mean is known. */
  each?(output: Tensor, target: Tensor, settings?: LossSettings): Tensor;
  /** 1 for each example that is classified correctly, else 0, [N]; left out where there are no classes. */
  correct?(output: Tensor, target: Tensor): Tensor;
  /** Outputs as predictions: probabilities where the loss takes logits. */
  predict(output: Tensor): Tensor;
}

const trailing = (x: Tensor): number[] => x.shape.slice(1).map((_, i) => i + 1);

function assertSame(name: string, output: Tensor, target: Tensor): void {
  if (!sameShape(output.shape, target.shape))
    throw new ShapeError(
      `loss ${name}: the network gives ${showShape(output.shape)}, the targets are ${showShape(target.shape)}`,
      { output: output.shape, target: target.shape },
      "give targets of the same shape: y as [[1], [2]] for a network with one output",
    );
}

const averaged = (x: Tensor): Tensor => (x.shape.length > 1 ? mean(x, trailing(x)) : x);

const squaredError = (output: Tensor, target: Tensor): Tensor => {
  assertSame("mse", output, target);
  const error = sub(output, target);
  return mul(error, error);
};

/** max(z, 0) − zt + log(1 + e^−|z|), which does not overflow; as PyTorch's binary_cross_entropy_with_logits. */
const binaryCrossEntropy = (output: Tensor, target: Tensor): Tensor => {
  assertSame("binary-cross-entropy", output, target);
  return add(sub(maximum(output, 0), mul(output, target)), log(add(1, exp(neg(abs(output))))));
};

/** The losses; a new one is one entry. */
export const losses = {
  "cross-entropy": {
    kind: "loss",
    name: "cross-entropy",
    summary:
      "−mean log softmax(z)_y over logits z and integer labels y, as PyTorch's cross_entropy; over all positions of a sequence",
    targets: "labels",
    smooths: true,
    mean: (output, target, settings) => crossEntropy(output, target, settings),
    each: (output, target, { labelSmoothing } = { labelSmoothing: 0 }) =>
      averaged(neg(sum(mul(logSoftmax(output), smoothed(target, output, labelSmoothing)), [output.shape.length - 1]))),
    correct: (output, target) => averaged(correct(output, target)),
    predict: softmax,
  },
  mse: {
    kind: "loss",
    name: "mse",
    summary: "mean (z − y)² over all numbers, as PyTorch's mse_loss",
    targets: "values",
    mean: (output, target) => mean(squaredError(output, target)),
    each: (output, target) => averaged(squaredError(output, target)),
    predict: (output) => output,
  },
  "binary-cross-entropy": {
    kind: "loss",
    name: "binary-cross-entropy",
    summary: "−mean (y log σ(z) + (1 − y) log(1 − σ(z))) over logits z and targets y in 0…1",
    targets: "values",
    within: [0, 1],
    mean: (output, target) => mean(binaryCrossEntropy(output, target)),
    each: (output, target) => averaged(binaryCrossEntropy(output, target)),
    correct: (output, target) => {
      const side = (x: Tensor, at: number) => cast(greater(x, at), output.dtype);
      return averaged(cast(equal(side(output, 0), side(target, 0.5)), output.dtype));
    },
    predict: sigmoid,
  },
} as const satisfies Readonly<Record<string, LossRule>>;

/** Name of a built-in loss. */
export type LossName = keyof typeof losses;

/** The names of the built-in losses. */
export const lossNames = namesOf(losses);

type Declared = Omit<LossRule, "kind" | "mean" | "predict"> & Partial<Pick<LossRule, "predict">>;

/**
 * Declares a loss by each example's, `each`, or by the mini-batch's, `mean`. The mean over the mini-batch follows from
 * `each`; with `mean` alone, losses of single examples are not known. Predictions are the outputs, unless `predict` says otherwise.
 *
 * @example
 * ```ts
 * const huber = defineLoss({
 *   name: "huber",
 *   summary: "½e² where |e| ≤ 1, else |e| − ½,  e = z − y",
 *   targets: "values",
 *   each: (output, target) => {
 *     const e = abs(sub(output, target));
 *     const near = minimum(e, 1);
 *     return mean(mul(near, sub(e, mul(0.5, near))), [1]);
 *   },
 * });
 * console.log(huber.kind); // loss
 * ```
 */
export function defineLoss(loss: Declared & (Required<Pick<LossRule, "each">> | Pick<LossRule, "mean">)): LossRule {
  const { each } = loss;
  return {
    kind: "loss",
    predict: (output) => output,
    ...(each === undefined
      ? {}
      : { mean: (output: Tensor, target: Tensor, settings: LossSettings) => mean(each(output, target, settings)) }),
    ...loss,
  } as LossRule;
}

/** The rule of a function of one's own. With labels and outputs [N, classes], accuracy is the largest output's. */
export const lossOf = (mean: LossFunction, targets: Targets, name = "custom"): LossRule =>
  defineLoss({
    name,
    summary: "a function of the caller's",
    mean: (output, target) => mean(output, target),
    ...(targets.kind === "labels" ? { correct: losses["cross-entropy"].correct } : {}),
  });
