import { pad, slice, transpose } from "../graph/ops/arrange.ts";
import { add } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { dropout as dropped } from "../nn/dropout.ts";
import { affine, linear } from "../nn/layers.ts";
import type { Network, Scope } from "../nn/scope.ts";
import { encoderBlock, layerNormalization } from "../nn/transformer.ts";
import { ConfigError } from "../util/errors.ts";
import { defineModel } from "./entry.ts";

export interface VitOptions {
  readonly classes: number;
  /** Length of the vector that stands for a patch. */
  readonly width: number;
  /** Blocks of attention and MLP. */
  readonly depth: number;
  /** Heads of attention; the width is a multiple of them. */
  readonly heads: number;
  /** Height and width of a patch in pixels; those of the images are multiples of it. */
  readonly patch: number;
  /** Rate of dropout of the embedded patches with their positions, and inside the blocks; left out, 0. */
  readonly dropout?: number;
  /** Rate of dropout of the weights of attention; left out, 0. */
  readonly attentionDropout?: number;
  /** Rate of stochastic depth of the last block; it grows linearly from 0 in the first. Left out, 0. */
  readonly dropPath?: number;
}

/**
 * A vision transformer (Dosovitskiy et al. 2021): images [N, C, H, W] to logits [N, classes]. Norms come first, the MLPs
 * have 4·width units and the exact GELU, and the class token is classified. Names, semantics and initialization are those of torchvision's
 * VisionTransformer, where B/16 is width 768, depth 12, heads 12 and patch 16; so are places and defaults of dropout. Stochastic depth is timm's `drop_path`.
 *
 * @throws ConfigError where the width is no multiple of the heads, or the images are none of the patch
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: vit({ classes: 10, width: 16, depth: 2, heads: 2, patch: 4 }),
 *   inputs: { x: [2, 3, 8, 8], y: [2] },
 *   classes: 10,
 *   method: "sgd",
 * });
 * console.log(step.model.parameters.entries.length); // 32
 * ```
 */
export const vit =
  ({ classes, width, depth, heads, patch, dropout = 0, attentionDropout = 0, dropPath = 0 }: VitOptions): Network =>
  (scope, images) => {
    const token = scope.parameter({ name: "class_token", shape: [1, 1, width], init: { fill: 0 } });
    const patches = embedded(scope.at("conv_proj"), patchesOf(images, patch), width);
    const encoder = scope.at("encoder");
    const length = patches.shape[1]! + 1;
    const positions = encoder.parameter({
      name: "pos_embedding",
      shape: [1, length, width],
      init: { normal: 0.02 },
    });
    // Zeros in front of the patches, where the token is added: it needs no copy for each image.
    let x = dropped(scope, add(pad(patches, 1, 1, 0), add(positions, pad(token, 1, 0, length - 1))), dropout);
    for (let i = 0; i < depth; i++) {
      const rates = { dropout, attentionDropout, dropPath: (dropPath * i) / Math.max(1, depth - 1) };
      x = encoderBlock(encoder.at("layers").at(`encoder_layer_${i}`), x, heads, rates);
    }
    const first = reshape(slice(x, 1, 0, 1), [images.shape[0]!, width]);
    const zero = { fill: 0 };
    return linear(scope.at("heads").at("head"), layerNormalization(encoder.at("ln"), first), classes, {
      weight: zero,
      bias: zero,
    });
  };

/** Images [N, C, H, W] as their patches [N, H/p · W/p, C, p, p], row by row. */
function patchesOf(images: Tensor, patch: number): Tensor {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  if (images.shape.length !== 4 || height % patch !== 0 || width % patch !== 0)
    throw new ConfigError(
      `images of ${images.shape.slice(1).join("×")} do not divide into patches of ${patch}×${patch} pixels`,
      { inputShape: images.shape, patch },
      "choose model.patch so that it divides their height and width",
    );
  const [down, across] = [height / patch, width / patch];
  const cut = transpose(reshape(images, [count, channels, down, patch, across, patch]), [0, 2, 4, 1, 3, 5]);
  return reshape(cut, [count, down * across, channels, patch, patch]);
}

/** A convolution whose stride is its kernel, of torchvision's name and shape: one product of matrices. */
function embedded(scope: Scope, patches: Tensor, width: number): Tensor {
  const [count, length, ...kernel] = patches.shape as [number, number, number, number, number];
  const fanIn = kernel.reduce((a, b) => a * b);
  // Cut off at ±2, as PyTorch's trunc_normal_ is unless told otherwise.
  const init = { normal: Math.sqrt(1 / fanIn), within: 2 };
  const weight = scope.parameter({ name: "weight", shape: [width, ...kernel], init, role: "weight" });
  const bias = scope.parameter({ name: "bias", shape: [width], init: { fill: 0 }, role: "bias" });
  return affine(reshape(patches, [count, length, fanIn]), reshape(weight, [width, fanIn]), bias);
}

export const vitEntry = defineModel({
  name: "vit",
  summary: "vision transformer for small images, torchvision's names; width = length of a patch's vector",
  defaultWidth: 64,
  defaultDepth: 6,
  defaultHeads: 4,
  defaultPatch: 4,
  drops: true,
  sample: {
    options: { classes: 3, width: 8, depth: 2, heads: 2, patch: 4 },
    inputShape: [2, 1, 8, 8],
  },
  build: vit,
});

export const vitB16Entry = defineModel({
  name: "vit-b16",
  summary: "ViT-B/16 for images of 224 pixels, torchvision's names",
  defaultWidth: 768,
  defaultDepth: 12,
  defaultHeads: 12,
  defaultPatch: 16,
  drops: true,
  sample: {
    options: { classes: 3, width: 8, depth: 1, heads: 2 },
    inputShape: [2, 1, 16, 16],
  },
  build: vit,
});
