import { is } from "../graph/op.ts";
import { pad, split } from "../graph/ops/arrange.ts";
import { oneHot } from "../graph/ops/compare.ts";
import {
  add,
  addOp,
  erf,
  exp,
  log,
  maximum,
  mul,
  relu,
  reluOp,
  rsqrt,
  sigmoid,
  stopGradient,
  sub,
} from "../graph/ops/elementwise.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { max } from "../graph/ops/max.ts";
import { sum } from "../graph/ops/reduce.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { constant } from "../graph/ops/source.ts";
import { stride as everyNth } from "../graph/ops/take.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ConfigError, ShapeError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";

/**
 * Mean over `axes` (all by default), which disappear unless `keepDims`.
 *
 * @throws ShapeError where x has no such axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: mean(x, [0]) }), { x: { shape: [2, 2] } });
 * console.log((await f.run({ x: [1, 2, 3, 4] })).y); // [2, 3]
 * ```
 */
export function mean(x: Tensor, axes?: readonly number[], keepDims = false): Tensor {
  const total = sum(x, axes, keepDims);
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}

/**
 * x·Φ(x), elementwise, in the exact form (Hendrycks & Gimpel 2016).
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: gelu(x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [0, 1] })).y); // [0, 0.8413]
 * ```
 */
export const gelu = (x: Tensor): Tensor => mul(mul(0.5, x), add(1, erf(mul(x, Math.SQRT1_2))));

/**
 * x·σ(x), elementwise (Elfwing et al. 2017).
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: silu(x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [0, 1] })).y); // [0, 0.7311]
 * ```
 */
export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));

/**
 * xᵢ − log Σⱼ e^xⱼ over the last axis, of the shape of x. The largest x is subtracted first, so nothing overflows.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: logSoftmax(x) }), { x: { shape: [1, 2] } });
 * console.log((await f.run({ x: [0, 0] })).y); // [-0.6931, -0.6931]
 * ```
 */
export function logSoftmax(x: Tensor): Tensor {
  const axis = [x.shape.length - 1];
  const shifted = sub(x, stopGradient(max(x, axis, true)));
  return sub(shifted, log(sum(exp(shifted), axis, true)));
}

/**
 * e^xᵢ / Σⱼ e^xⱼ over the last axis, of the shape of x.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: softmax(x) }), { x: { shape: [1, 2] } });
 * console.log((await f.run({ x: [0, 1000] })).y); // [0, 1]
 * ```
 */
export const softmax = (x: Tensor): Tensor => exp(logSoftmax(x));

/**
 * −mean_n Σ_k q_k log softmax(logits)_k with q = (1 − s)·onehot + s/classes (Szegedy et al. 2016), as PyTorch's
 * cross_entropy.
 * Logits [..., classes] and i32 labels [...] give a scalar, in nats; s is `labelSmoothing` (0).
 *
 * @throws ConfigError where `labelSmoothing` is outside [0, 1)
 * @example
 * ```ts
 * const f = await compile(({ z, y }) => ({ loss: crossEntropy(z, y) }), { z: { shape: [1, 2] }, y: { shape: [1], dtype: "i32" } });
 * console.log((await f.run({ z: [0, 0], y: [1] })).loss); // [0.6931]
 * ```
 */
export function crossEntropy(logits: Tensor, labels: Tensor, { labelSmoothing = 0 } = {}): Tensor {
  const target = smoothed(labels, logits, labelSmoothing);
  return mul(sum(mul(logSoftmax(logits), target)), -1 / sizeOf(labels.shape));
}

/** q = (1 − s)·onehot(labels) + s/classes, of the shape and type of the logits. */
export function smoothed(labels: Tensor, logits: Tensor, s: number): Tensor {
  if (!(s >= 0 && s < 1))
    throw new ConfigError(`label smoothing is ${s}, expected a number in [0, 1)`, { labelSmoothing: s });
  const classes = logits.shape.at(-1)!;
  const hard = oneHot(labels, classes, logits.dtype);
  return s === 0 ? hard : add(mul(1 - s, hard), s / classes);
}

export interface Normalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * (x − mean)/√(variance + eps) over `axes`, with the biased variance. `y` has the shape of x; the statistics keep
 * their axes at length 1.
 *
 * @throws ShapeError where x has no such axis
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: standardize(x, [0], 0).y }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [1, 3] })).y); // [-1, 1]
 * ```
 */
export function standardize(x: Tensor, axes: readonly number[], eps: number): Normalized {
  const average = mean(x, axes, true);
  const centred = sub(x, average);
  const variance = mean(mul(centred, centred), axes, true);
  return { y: mul(centred, rsqrt(add(variance, eps))), mean: average, variance };
}

/**
 * Layer normalization (Ba et al. 2016): x [..., D] is standardized over its last axis, then multiplied by `weight`
 * [D], and `bias` [D] is added.
 *
 * @example
 * ```ts
 * const f = await compile(({ x, w, b }) => ({ y: layerNorm(x, w, b, 0) }), {
 *   x: { shape: [1, 2] },
 *   w: { shape: [2] },
 *   b: { shape: [2] },
 * });
 * console.log((await f.run({ x: [1, 3], w: [2, 2], b: [0, 1] })).y); // [-2, 3]
 * ```
 */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): Tensor =>
  add(mul(standardize(x, [x.shape.length - 1], eps).y, weight), bias);

interface Window {
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
}

/** How many windows lie along an axis. */
function pooled(length: number, { kernel, stride = kernel, padding = 0 }: Window): number {
  if (length + 2 * padding < kernel)
    throw new ShapeError(
      `pooling: a window of ${kernel} pixels does not fit into ${length}${padding > 0 ? ` with ${padding} around` : ""}`,
      { length, kernel, padding },
      "use larger images, or a network that pools less",
    );
  return Math.floor((length + 2 * padding - kernel) / stride) + 1;
}

/**
 * Largest of each window of x [H, W, N, C], as [H', W', N, C]. `stride` is the kernel's size and `padding` 0 unless
 * given. Padding counts as −∞; of equal values the first takes the derivative.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: maxPool2d(x, { kernel: 2 }) }), { x: { shape: [2, 2, 1, 1] } });
 * console.log((await f.run({ x: [1, 2, 3, 4] })).y); // [4]
 * ```
 */
export function maxPool2d(x: Tensor, window: Window): Tensor {
  // A monotone function of the largest is the largest of its values, and there are fewer of them to compute.
  if (is(reluOp, x)) return relu(maxPool2d(x.inputs[0]!, window));
  if (is(addOp, x) && isPerChannel(x.inputs[1]!)) return add(maxPool2d(x.inputs[0]!, window), x.inputs[1]!);
  const { kernel, stride = kernel, padding = 0 } = window;
  const along = (t: Tensor, axis: number): Tensor => {
    const count = pooled(t.shape[axis]!, window);
    const taps =
      stride === kernel && padding === 0 && count * kernel === t.shape[axis]
        ? tapsOfTiles(t, axis, kernel)
        : Array.from({ length: kernel }, (_, tap) =>
            everyNth(pad(t, axis, padding, padding, LOWEST), axis, tap, stride, count),
          );
    return taps.reduce((a, b) => maximum(a, b));
  };
  return along(along(x, 0), 1);
}

/** Whether an operand is the same at every pixel, so that adding it leaves the largest of a window the largest. */
const isPerChannel = ({ shape }: Tensor): boolean => sizeOf(shape.slice(-4, -2)) === 1 && shape.length <= 4;

/** Element 0, 1, … of every window where windows tile the axis: as parts of a split, whose derivative is one concatenation. */
function tapsOfTiles(x: Tensor, axis: number, kernel: number): Tensor[] {
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const count = x.shape[axis]! / kernel;
  const parts = split(reshape(x, [...before, count, kernel, ...after]), new Array<number>(kernel).fill(1), axis + 1);
  return parts.map((part) => reshape(part, [...before, count, ...after]));
}

/** Stands for −∞ in f32 and f64, and can still be subtracted. */
const LOWEST = -3e38;

/**
 * Mean of each window of x [H, W, N, C], as [H', W', N, C]. `stride` is the kernel's size and `padding` 0 unless
 * given; padding counts as zeros, as in PyTorch.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: avgPool2d(x, { kernel: 2 }) }), { x: { shape: [2, 2, 1, 1] } });
 * console.log((await f.run({ x: [1, 2, 3, 4] })).y); // [2.5]
 * ```
 */
export function avgPool2d(x: Tensor, window: Window): Tensor {
  const [height, width, batch, channels] = x.shape as [number, number, number, number];
  const matrix = (length: number) => {
    const { kernel, stride = kernel, padding = 0 } = window;
    const rows = pooled(length, window);
    const values = new Float64Array(rows * length);
    for (let row = 0; row < rows; row++)
      for (let tap = 0; tap < kernel; tap++) {
        const at = row * stride + tap - padding;
        if (at >= 0 && at < length) values[row * length + at] = 1 / kernel;
      }
    return constant(values, [rows, length], x.dtype);
  };
  const down = matmul(matrix(height), reshape(x, [height, width * batch * channels]));
  const across = matmul(matrix(width), reshape(down, [down.shape[0]!, width, batch * channels]));
  return reshape(across, [down.shape[0]!, across.shape[1]!, batch, channels]);
}
