import { add } from "../graph/ops/elementwise.ts";
import { embedding, linear } from "../nn/layers.ts";
import type { Network } from "../nn/scope.ts";
import { encoderBlock, layerNormalization } from "../nn/transformer.ts";
import { ConfigError } from "../util/errors.ts";

export interface DecoderOptions {
  /** Number of tokens; inputs are 0 … vocabulary − 1. */
  readonly vocabulary: number;
  /** Length of the vector that stands for a token. */
  readonly width?: number;
  /** Blocks of attention and MLP. */
  readonly depth?: number;
  /** Heads of attention; the width is a multiple of them. */
  readonly heads?: number;
}

/**
 * A causal transformer over sequences, as GPT-2 without dropout (Radford et al. 2019): i32 tokens [N, length] to logits [N, length, vocabulary], of which
 * position i depends on tokens up to i. Token and learned position embeddings start normal with σ = 0.02; blocks are those of the vision
 * transformers with a causal mask. Defaults: width 64, depth 2, heads 4.
 *
 * @throws ConfigError where the inputs are no integers, or the width is no multiple of the heads
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: decoder({ vocabulary: 5, width: 8, depth: 1, heads: 2 }),
 *   inputs: { x: { shape: [4, 6], dtype: "i32" }, y: { shape: [4, 6], dtype: "i32" } },
 *   classes: 5,
 *   method: "sgd",
 * });
 * console.log(step.model.outputShape); // [4, 6, 5]
 * ```
 */
export const decoder =
  ({ vocabulary, width = 64, depth = 2, heads = 4 }: DecoderOptions): Network =>
  (scope, tokens) => {
    const [, length] = tokens.shape;
    if (tokens.dtype !== "i32" || tokens.shape.length !== 2 || length === undefined)
      throw new ConfigError(
        `a decoder reads i32 tokens [n, length], and was given ${tokens.dtype} [${tokens.shape.join(", ")}]`,
        { dtype: tokens.dtype, shape: tokens.shape },
        "give x as an Int32Array with its shape: { data, shape: [n, length] }",
      );
    const init = { normal: 0.02 };
    const positions = scope.parameter({ name: "pos_embedding", shape: [1, length, width], init });
    let x = add(embedding(scope.at("embedding"), tokens, vocabulary, width, init), positions);
    for (let i = 0; i < depth; i++) x = encoderBlock(scope.at("layers").at(String(i)), x, heads, { causal: true });
    return linear(scope.at("head"), layerNormalization(scope.at("ln"), x), vocabulary);
  };
