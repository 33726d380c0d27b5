import { transpose } from "../graph/ops/arrange.ts";
import { tanh } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { avgPool2d, silu } from "../nn/functions.ts";
import { fromNchw } from "../nn/images.ts";
import { conv, linear } from "../nn/layers.ts";
import type { Network } from "../nn/scope.ts";
import { defineModel } from "./entry.ts";

export interface SmoothCnnOptions {
  readonly classes: number;
  /** Channels of the first convolution; the second has twice as many. */
  readonly width: number;
  readonly activation?: "tanh" | "silu";
}

const activations = { tanh, silu } as const;

/**
 * A network whose derivatives of every order exist: images [N, C, H, W] of at least 4×4 to logits [N, classes]. Two 3×3 convolutions with
 * biases, w and 2w channels, each followed by the activation and the mean of 2×2 pixels; then one linear layer. [C] Our choice.
 *
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: smoothCnn({ classes: 10, width: 4 }),
 *   inputs: { x: [2, 1, 8, 8], y: [2] },
 *   classes: 10,
 *   method: "sgd",
 * });
 * console.log(step.model.parameters.entries.length); // 6
 * ```
 */
export const smoothCnn =
  ({ classes, width, activation = "tanh" }: SmoothCnnOptions): Network =>
  (scope, images) => {
    const act = activations[activation];
    const stage = (x: Tensor, n: number, out: number) =>
      avgPool2d(act(conv(scope.at(`conv${n}`), x, out, { kernel: 3, bias: true })), { kernel: 2 });
    const features = stage(stage(fromNchw(images), 1, width), 2, 2 * width);
    // [H, W, N, C] in PyTorch's order, so that its weights fit.
    return linear(scope.at("linear"), reshape(transpose(features, [2, 3, 0, 1]), [images.shape[0]!, -1]), classes);
  };

export const smoothCnnEntry = defineModel({
  name: "smooth-cnn",
  summary: "two convolutions without kinks, for the SDEs; width = channels of the first",
  defaultWidth: 8,
  activations: ["tanh", "silu"],
  smooth: true,
  sample: { options: { classes: 3, width: 2, activation: "silu" }, inputShape: [3, 1, 6, 5] },
  build: smoothCnn,
});
