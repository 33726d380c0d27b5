import { add, mul, rsqrt, sub } from "../graph/ops/elementwise.ts";
import { conv2d } from "../graph/ops/conv.ts";
import { gather } from "../graph/ops/gather.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../util/shape.ts";
import { standardize } from "./functions.ts";
import type { Init } from "./layout.ts";
import type { Scope } from "./scope.ts";

/** PyTorch's default for weights and biases of linear and convolution layers: uniform in ±1/√fan_in. */
const defaultInit = (fanIn: number) => ({ uniform: 1 / Math.sqrt(fanIn) });

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros around the image; by default as many as keep its size at stride 1. */
  readonly padding?: number;
  readonly bias?: boolean;
}

/**
 * A convolution layer: x [H, W, N, C] to `out` channels. Parameters `weight` [out, C, k, k] and, on request, `bias`
 * [out] are named and initialized as in PyTorch. Padding keeps the image's size at stride 1 unless given.
 *
 * @throws InputError where the scope has these parameters already
 * @example
 * ```ts
 * const network: Network = (scope, x) => {
 *   const features = relu(conv(scope.at("conv"), fromNchw(x), 8, { kernel: 3, bias: true }));
 *   return linear(scope.at("out"), mean(features, [0, 1]), 10);
 * };
 * const step = await compileStep({ network, inputs: { x: [4, 3, 8, 8], y: [4] }, classes: 10, method: "sgd" });
 * console.log(step.model.parameters.entries[0]?.shape); // [8, 3, 3, 3]
 * ```
 */
export function conv(
  scope: Scope,
  x: Tensor,
  out: number,
  { kernel, stride = 1, padding, bias = false }: ConvOptions,
): Tensor {
  const channels = x.shape[3]!;
  const init = defaultInit(channels * kernel * kernel);
  const weight = scope.parameter({
    name: "weight",
    shape: [out, channels, kernel, kernel],
    order: [2, 3, 1, 0],
    init,
    role: "weight",
  });
  const y = conv2d(x, weight, { stride, padding: padding ?? (kernel - 1) >> 1 });
  return bias ? add(y, scope.parameter({ name: "bias", shape: [out], init, role: "bias" })) : y;
}

/** How a layer starts where that is not PyTorch's default. */
export interface LayerInit {
  readonly weight?: Init;
  readonly bias?: Init;
}

/**
 * A linear layer: x·weightᵀ + bias, [..., in] to [..., out]. Parameters `weight` [out, in] and `bias` [out] are
 * initialized as in PyTorch, or by `init`.
 *
 * @throws InputError where the scope has these parameters already
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), relu(linear(scope.at("hidden"), x, 16)), 1);
 * const step = await compileStep({ network, inputs: { x: [4, 2], y: [4, 1] }, loss: "mse", method: "sgd" });
 * console.log(step.model.parameters.entries.map(({ name }) => name)); // [hidden.weight, hidden.bias, out.weight, out.bias]
 * ```
 */
export function linear(scope: Scope, x: Tensor, out: number, init: LayerInit = {}): Tensor {
  const features = x.shape.at(-1)!;
  const standard = defaultInit(features);
  const weight = scope.parameter({
    name: "weight",
    shape: [out, features],
    init: init.weight ?? standard,
    role: "weight",
  });
  const bias = scope.parameter({ name: "bias", shape: [out], init: init.bias ?? standard, role: "bias" });
  return affine(x, weight, bias);
}

/** x·weightᵀ + bias over the last axis, [..., in] to [..., out]: one product of matrices, however many axes there are. */
export function affine(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const rows = reshape(x, [-1, x.shape.at(-1)!]);
  return reshape(add(matmul(rows, weight, { transB: true }), bias), [...x.shape.slice(0, -1), weight.shape[0]!]);
}

/**
 * An embedding: i32 tokens [...] to the rows of its `weight` [count, width] that they name, [..., width]. It starts standard normal, as
 * PyTorch's, or by `init`. A token outside 0 … count − 1 ends the run with ONNX Runtime's error.
 *
 * @throws ShapeError where the tokens are no integers
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), mean(embedding(scope.at("tokens"), x, 9, 4), [1]), 2);
 * const inputs = { x: { shape: [3, 5], dtype: "i32" }, y: [3] } as const;
 * const step = await compileStep({ network, inputs, classes: 2, method: "sgd" });
 * console.log(step.model.parameters.entries[0]?.shape); // [9, 4]
 * ```
 */
export function embedding(
  scope: Scope,
  tokens: Tensor,
  count: number,
  width: number,
  init: Init = { normal: 1 },
): Tensor {
  return gather(scope.parameter({ name: "weight", shape: [count, width], init }), tokens);
}

const EPS = 1e-5;

/**
 * Batch normalization over all axes but the last (Ioffe & Szegedy 2015), of the shape of x [..., C].
 * Training uses the batch's statistics, and the running ones move towards them by 0.1 (the variance unbiased), as in
 * PyTorch. Inference uses the running ones.
 *
 * @throws InputError where the scope has these parameters already
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), relu(batchNorm(scope.at("bn"), x)), 1);
 * const step = await compileStep({ network, inputs: { x: [4, 2], y: [4, 1] }, loss: "mse", method: "sgd" });
 * console.log(step.model.buffers.entries.map(({ name }) => name)); // [bn.running_mean, bn.running_var]
 * ```
 */
export function batchNorm(scope: Scope, x: Tensor): Tensor {
  const channels = x.shape.at(-1)!;
  const weight = scope.parameter({ name: "weight", shape: [channels], init: { fill: 1 } });
  const bias = scope.parameter({ name: "bias", shape: [channels], init: { fill: 0 } });
  const runningMean = scope.buffer({ name: "running_mean", shape: [channels], init: { fill: 0 } });
  const runningVar = scope.buffer({ name: "running_var", shape: [channels], init: { fill: 1 } });
  if (!scope.training) return add(mul(sub(x, runningMean), mul(weight, rsqrt(add(runningVar, EPS)))), bias);

  const axes = x.shape.slice(0, -1).map((_, i) => i);
  const { y, mean, variance } = standardize(x, axes, EPS);
  const count = sizeOf(x.shape) / channels;
  scope.observe("running_mean", reshape(mean, [channels]), count);
  scope.observe("running_var", mul(reshape(variance, [channels]), count / Math.max(1, count - 1)), count);
  return add(mul(y, weight), bias);
}
