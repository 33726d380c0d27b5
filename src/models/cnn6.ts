import { relu, tanh } from "../graph/ops/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";
import { maxPool2d, mean, silu } from "../nn/functions.ts";
import { fromNchw } from "../nn/images.ts";
import { conv, linear } from "../nn/layers.ts";
import type { Network } from "../nn/scope.ts";
import { defineModel } from "./entry.ts";

export interface Cnn6Options {
  readonly classes: number;
  /** Channels of the first two convolutions; the next have 2 and 4 times as many. */
  readonly width: number;
  readonly activation?: "relu" | "tanh" | "silu";
}

const activations = { relu, tanh, silu } as const;

/**
 * A network of six layers without batch norm: images [N, C, H, W] of at least 4×4 to logits [N, classes].
 * 3×3 convolutions with biases have w, w, pool, 2w, 2w, pool and 4w channels; the mean over the image and one linear
 * layer follow. [C] Our choice: the paper says "six-layer CNN" without sizes.
 *
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: cnn6({ classes: 10, width: 4 }),
 *   inputs: { x: [2, 3, 8, 8], y: [2] },
 *   classes: 10,
 *   method: "sgd",
 * });
 * console.log(step.model.parameters.entries.length); // 12
 * ```
 */
export const cnn6 =
  ({ classes, width, activation = "relu" }: Cnn6Options): Network =>
  (scope, images) => {
    const act = activations[activation];
    const layer = (x: Tensor, n: number, out: number) =>
      act(conv(scope.at(`conv${n}`), x, out, { kernel: 3, bias: true }));
    const pool = (x: Tensor) => maxPool2d(x, { kernel: 2 });
    const a = pool(layer(layer(fromNchw(images), 1, width), 2, width));
    const b = pool(layer(layer(a, 3, 2 * width), 4, 2 * width));
    return linear(scope.at("linear"), mean(layer(b, 5, 4 * width), [0, 1]), classes);
  };

export const cnn6Entry = defineModel({
  name: "cnn6",
  summary: "six layers without batch norm; width = channels of the first",
  defaultWidth: 32,
  // Measured: docs/guide/train.md, Defaults.
  radius: 0.4,
  activations: ["relu", "tanh", "silu"],
  sample: { options: { classes: 4, width: 2, activation: "tanh" }, inputShape: [3, 1, 12, 12] },
  build: cnn6,
});
