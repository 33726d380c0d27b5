import { slice, transpose } from "../graph/ops/arrange.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { rowSoftmax } from "../graph/ops/softmax.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ConfigError } from "../util/errors.ts";
import { dropout, stochasticDepth } from "./dropout.ts";
import { gelu, layerNorm } from "./functions.ts";
import { affine, linear } from "./layers.ts";
import type { Init } from "./layout.ts";
import type { Scope } from "./scope.ts";

/** Added to the score of a position that must not be seen: e to that power is 0 in f32 and f64. */
const UNSEEN = -1e30;

/**
 * Scaled dot-product attention (Vaswani et al. 2017): softmax(q·kᵀ/√d)·v over the last two axes, queries [..., n, d],
 * keys [..., m, d] and values [..., m, e] to [..., n, e]. With `causal`, position i sees only positions up to i. `dropped` is what is made of the weights
 * [..., n, m] before they are used.
 *
 * @throws ShapeError where the shapes do not fit
 * @example
 * ```ts
 * const f = await compile(({ q, k, v }) => ({ y: attention(q, k, v) }), {
 *   q: { shape: [1, 1] },
 *   k: { shape: [2, 1] },
 *   v: { shape: [2, 1] },
 * });
 * console.log((await f.run({ q: [0], k: [1, 2], v: [4, 8] })).y); // [6]
 * ```
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  {
    causal = false,
    dropped = (weights) => weights,
  }: { readonly causal?: boolean; readonly dropped?: (weights: Tensor) => Tensor } = {},
): Tensor {
  const scores = matmul(mul(q, 1 / Math.sqrt(q.shape.at(-1)!)), k, { transB: true });
  return matmul(dropped(rowSoftmax(causal ? add(scores, later(scores)) : scores)), v);
}

/** UNSEEN where the column is later than the row, else 0. */
function later(scores: Tensor): Tensor {
  const [rows, columns] = scores.shape.slice(-2) as [number, number];
  const mask = Float64Array.from({ length: rows * columns }, (_, i) =>
    i % columns > Math.trunc(i / columns) ? UNSEEN : 0,
  );
  return constant(mask, [rows, columns], scores.dtype);
}

/** PyTorch's xavier_uniform of a weight [out, in]. */
const xavier = (out: number, fanIn: number): Init => ({ uniform: Math.sqrt(6 / (out + fanIn)) });

export interface AttentionOptions {
  /** Whether position i sees only positions up to i. */
  readonly causal?: boolean;
  /** Rate of dropout of the weights of attention; left out, 0. */
  readonly attentionDropout?: number;
}

export interface BlockOptions extends AttentionOptions {
  /** Rate of dropout after attention, after the MLP's nonlinearity and after the MLP; left out, 0. */
  readonly dropout?: number;
  /** Rate of stochastic depth of both branches; left out, 0. */
  readonly dropPath?: number;
}

/**
 * Multi-head self-attention as PyTorch's MultiheadAttention: x [N, length, width] to the same shape. Parameters
 * `in_proj_weight` [3·width, width], `in_proj_bias`, `out_proj.weight` and `out_proj.bias` are named and initialized as there.
 *
 * @throws ConfigError where the width is no multiple of the heads
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), mean(selfAttention(scope.at("attention"), x, 2), [1]), 3);
 * const step = await compileStep({ network, inputs: { x: [4, 5, 8], y: [4] }, classes: 3, method: "sgd" });
 * console.log(step.model.parameters.entries[0]?.shape); // [24, 8]
 * ```
 */
export function selfAttention(scope: Scope, x: Tensor, heads: number, options: AttentionOptions = {}): Tensor {
  const { causal = false, attentionDropout = 0 } = options;
  const [count, length, width] = x.shape as [number, number, number];
  if (width % heads !== 0)
    throw new ConfigError(
      `a width of ${width} does not divide among ${heads} heads`,
      { width, heads },
      "choose model.width as a multiple of model.heads",
    );
  const weight = scope.parameter({
    name: "in_proj_weight",
    shape: [3 * width, width],
    init: xavier(3 * width, width),
    role: "weight",
  });
  const bias = scope.parameter({ name: "in_proj_bias", shape: [3 * width], init: { fill: 0 }, role: "bias" });
  const projected = reshape(affine(x, weight, bias), [count, length, 3, heads, width / heads]);
  const byHead = transpose(projected, [2, 0, 3, 1, 4]);
  const part = (i: number) => reshape(slice(byHead, 0, i, i + 1), [count, heads, length, width / heads]);
  const dropped = (weights: Tensor) => dropout(scope, weights, attentionDropout);
  const seen = transpose(attention(part(0), part(1), part(2), { causal, dropped }), [0, 2, 1, 3]);
  return linear(scope.at("out_proj"), reshape(seen, [count, length, width]), width, { bias: { fill: 0 } });
}

/** ε of torchvision's transformers. */
const EPS = 1e-6;

/**
 * A layer-normalization layer over the last axis (Ba et al. 2016), of the shape of x [..., D]. Parameters `weight` and `bias` [D]
 * start at 1 and 0; ε is 1e-6, as in torchvision's transformers.
 *
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), layerNormalization(scope.at("ln"), x), 1);
 * const step = await compileStep({ network, inputs: { x: [4, 8], y: [4, 1] }, loss: "mse", method: "sgd" });
 * console.log(step.model.parameters.entries.map(({ name }) => name)); // [ln.weight, ln.bias, out.weight, out.bias]
 * ```
 */
export function layerNormalization(scope: Scope, x: Tensor): Tensor {
  const shape = [x.shape.at(-1)!];
  const weight = scope.parameter({ name: "weight", shape, init: { fill: 1 } });
  return layerNorm(x, weight, scope.parameter({ name: "bias", shape, init: { fill: 0 } }), EPS);
}

/**
 * A block of a transformer with norms first, x [N, length, width] to the same shape: h = x + attention(norm(x)), then h + mlp(norm(h)) with one
 * hidden layer of 4·width units and the exact GELU. Names, initialization and places of dropout are those of torchvision's EncoderBlock; stochastic depth is where
 * timm's blocks have it.
 *
 * @throws ConfigError where the width is no multiple of the heads
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), mean(encoderBlock(scope.at("block"), x, 2), [1]), 3);
 * const step = await compileStep({ network, inputs: { x: [4, 5, 8], y: [4] }, classes: 3, method: "sgd" });
 * console.log(step.model.parameters.entries.length); // 14
 * ```
 */
export function encoderBlock(scope: Scope, x: Tensor, heads: number, options: BlockOptions = {}): Tensor {
  const { dropout: rate = 0, dropPath = 0, ...ofAttention } = options;
  const width = x.shape.at(-1)!;
  const dense = (name: string, input: Tensor, out: number) =>
    linear(scope.at("mlp").at(name), input, out, {
      weight: xavier(out, input.shape.at(-1)!),
      bias: { normal: 1e-6 },
    });
  const branch = (y: Tensor) => stochasticDepth(scope, dropout(scope, y, rate), dropPath);
  const normed = layerNormalization(scope.at("ln_1"), x);
  const seen = add(x, branch(selfAttention(scope.at("self_attention"), normed, heads, ofAttention)));
  const hidden = gelu(dense("0", layerNormalization(scope.at("ln_2"), seen), 4 * width));
  return add(seen, branch(dense("3", dropout(scope, hidden, rate), width)));
}
