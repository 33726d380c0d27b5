import { add, relu } from "../graph/ops/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mean, silu } from "../nn/functions.ts";
import { fromNchw } from "../nn/images.ts";
import { batchNorm, conv, linear } from "../nn/layers.ts";
import type { Network, Scope } from "../nn/scope.ts";
import { defineModel } from "./entry.ts";

export interface ResnetOptions {
  readonly classes: number;
  /** Channels of the first stage; each later stage doubles them. */
  readonly width: number;
  readonly activation?: "relu" | "silu";
}

type Activation = (x: Tensor) => Tensor;
type Block = (scope: Scope, x: Tensor, width: number, stride: number, activation: Activation) => Tensor;

const convBn = (scope: Scope, n: number, x: Tensor, out: number, kernel: number, stride = 1): Tensor =>
  batchNorm(scope.at(`bn${n}`), conv(scope.at(`conv${n}`), x, out, { kernel, stride }));

function shortcut(scope: Scope, x: Tensor, out: number, stride: number): Tensor {
  if (stride === 1 && x.shape[3] === out) return x;
  const inner = scope.at("shortcut");
  return batchNorm(inner.at("1"), conv(inner.at("0"), x, out, { kernel: 1, stride }));
}

const basic: Block = (scope, x, width, stride, activation) => {
  const y = activation(convBn(scope, 1, x, width, 3, stride));
  return activation(add(convBn(scope, 2, y, width, 3), shortcut(scope, x, width, stride)));
};

const bottleneck: Block = (scope, x, width, stride, activation) => {
  const y = activation(convBn(scope, 1, x, width, 1));
  const z = activation(convBn(scope, 2, y, width, 3, stride));
  return activation(add(convBn(scope, 3, z, 4 * width, 1), shortcut(scope, x, 4 * width, stride)));
};

/** He et al. 2015 with the CIFAR stem: one 3×3 convolution, four stages, global average. */
const resnet =
  (block: Block, blocks: readonly number[]) =>
  ({ classes, width, activation = "relu" }: ResnetOptions): Network =>
  (scope, images) => {
    const act = activation === "relu" ? relu : silu;
    let x = act(convBn(scope, 1, fromNchw(images), width, 3));
    blocks.forEach((count, stage) => {
      for (let i = 0; i < count; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        x = block(scope.at(`layer${stage + 1}`).at(String(i)), x, width << stage, stride, act);
      }
    });
    return linear(scope.at("linear"), mean(x, [0, 1]), classes);
  };

/**
 * ResNet-18 (He et al. 2016) with the CIFAR stem: images [N, C, H, W] to logits [N, classes]. The first stage has
 * `width` channels; each later one doubles them.
 *
 * @example
 * ```ts
 * const step = await compileStep({
 *   network: resnet18({ classes: 10, width: 4 }),
 *   inputs: { x: [2, 3, 8, 8], y: [2] },
 *   classes: 10,
 *   method: "sgd",
 * });
 * console.log(step.model.parameters.entries.length); // 62
 * ```
 */
export const resnet18 = resnet(basic, [2, 2, 2, 2]);
/** ResNet-34 (arguments and example as {@link resnet18}). */
export const resnet34 = resnet(basic, [3, 4, 6, 3]);
/** ResNet-50, of bottleneck blocks (arguments and example as {@link resnet18}). */
export const resnet50 = resnet(bottleneck, [3, 4, 6, 3]);

const entry = (name: string, summary: string, build: typeof resnet18, activation?: "silu") =>
  defineModel({
    name,
    summary,
    defaultWidth: 64,
    activations: ["relu", "silu"],
    sample: { options: { classes: 10, width: 4, activation }, inputShape: [2, 3, 16, 16] },
    build,
  });

export const resnet18Entry = entry(
  "resnet18",
  "18 layers, CIFAR stem; width = channels of the first stage",
  resnet18,
  "silu",
);
export const resnet34Entry = entry("resnet34", "34 layers, CIFAR stem", resnet34);
export const resnet50Entry = entry("resnet50", "50 layers of bottlenecks, CIFAR stem", resnet50);
