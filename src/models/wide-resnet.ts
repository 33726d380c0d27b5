import { add, relu } from "../graph/ops/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mean, silu } from "../nn/functions.ts";
import { fromNchw } from "../nn/images.ts";
import { batchNorm, conv, linear } from "../nn/layers.ts";
import type { Network, Scope } from "../nn/scope.ts";
import { defineModel } from "./entry.ts";
import { ConfigError } from "../util/errors.ts";

export interface WideResnetOptions {
  readonly classes: number;
  /** Widening factor k: stages of 16k, 32k and 64k channels. */
  readonly width: number;
  /** Layers, 6n + 4. */
  readonly depth?: number;
  readonly activation?: "relu" | "silu";
}

/**
 * A wide residual network without dropout (Zagoruyko & Komodakis 2016): images [N, C, H, W] to logits [N, classes].
 * WRN-28-10 is depth 28, width 10. Norm and activation come before each convolution. Parameter names are those of the
 * PyTorch code in common use (xternalz/WideResNet-pytorch).
 *
 * @throws ConfigError where the depth is not 6n + 4
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: wideResnet({ classes: 10, width: 1, depth: 10 }),
 *   inputs: { x: [2, 3, 8, 8], y: [2] },
 *   classes: 10,
 *   method: "sgd",
 * });
 * console.log(step.model.parameters.entries.length); // 25
 * ```
 */
export const wideResnet = ({ classes, width, depth = 28, activation = "relu" }: WideResnetOptions): Network => {
  if ((depth - 4) % 6 !== 0 || depth < 10)
    throw new ConfigError(
      `model.depth is ${depth}, but a wide-resnet has 6n + 4 layers`,
      { depth },
      "10, 16, 22, 28, 34, 40, …",
    );
  const act = activation === "relu" ? relu : silu;
  const block = (scope: Scope, x: Tensor, out: number, stride: number): Tensor => {
    const same = x.shape[3] === out;
    const y = act(batchNorm(scope.at("bn1"), x));
    const inner = conv(scope.at("conv1"), y, out, { kernel: 3, stride });
    const z = conv(scope.at("conv2"), act(batchNorm(scope.at("bn2"), inner)), out, { kernel: 3 });
    // Where the size changes, the shortcut starts after norm and activation, too.
    return add(z, same ? x : conv(scope.at("convShortcut"), y, out, { kernel: 1, stride }));
  };
  return (scope, images) => {
    let x = conv(scope.at("conv1"), fromNchw(images), 16, { kernel: 3 });
    [16, 32, 64].forEach((channels, stage) => {
      for (let i = 0; i < (depth - 4) / 6; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        x = block(
          scope
            .at(`block${stage + 1}`)
            .at("layer")
            .at(String(i)),
          x,
          channels * width,
          stride,
        );
      }
    });
    return linear(scope.at("fc"), mean(act(batchNorm(scope.at("bn1"), x)), [0, 1]), classes);
  };
};

export const wideResnetEntry = defineModel({
  name: "wide-resnet",
  summary: "depth 6n + 4, width = widening factor: 28 and 10 are WRN-28-10",
  defaultWidth: 10,
  defaultDepth: 28,
  activations: ["relu", "silu"],
  sample: { options: { classes: 4, width: 1, depth: 10, activation: "silu" }, inputShape: [2, 3, 8, 8] },
  build: wideResnet,
});
