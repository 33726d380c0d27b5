import { input } from "../../src/graph/ops/source.ts";
import type { FloatDType, Tensor } from "../../src/graph/tensor.ts";
import * as cnns from "../../src/models/cnn6.ts";
import * as mlps from "../../src/models/mlp.ts";
import * as resnets from "../../src/models/resnet.ts";
import * as wides from "../../src/models/wide-resnet.ts";
import { crossEntropy } from "../../src/nn/functions.ts";
import { declare, forward, type Network, vectorInput } from "../../src/nn/scope.ts";
import type { Shape } from "../../src/util/shape.ts";

export interface Sample {
  readonly network: Network;
  readonly inputShape: Shape;
}

const { cnn6 } = cnns;
const { mlp } = mlps;
const { resnet18, resnet34, resnet50 } = resnets;
const { wideResnet } = wides;

/** Every network in src/models, small. The test of this table fails when one is missing. */
export const networks: Readonly<Record<string, Sample>> = {
  mlp: { network: mlp({ classes: 3, hidden: [5, 4], activation: "tanh" }), inputShape: [7, 6] },
  cnn6: { network: cnn6({ classes: 4, width: 2, activation: "tanh" }), inputShape: [3, 1, 12, 12] },
  resnet18: { network: resnet18({ classes: 10, width: 4, activation: "silu" }), inputShape: [2, 3, 16, 16] },
  resnet34: { network: resnet34({ classes: 10, width: 4 }), inputShape: [2, 3, 16, 16] },
  resnet50: { network: resnet50({ classes: 10, width: 4 }), inputShape: [2, 3, 16, 16] },
  wideResnet: {
    network: wideResnet({ classes: 4, width: 1, depth: 10, activation: "silu" }),
    inputShape: [2, 3, 8, 8],
  },
};

/** Names of the networks that src/models exports. */
export const exportedNetworks: readonly string[] = [mlps, resnets, cnns, wides].flatMap(Object.keys);

export interface Problem {
  readonly theta: Tensor;
  readonly lossAt: (theta: Tensor) => Tensor;
  readonly size: number;
}

/** The training loss of a network on inputs theta, buffers, x, labels. */
export function problem({ network, inputShape }: Sample, dtype: FloatDType = "f32"): Problem {
  const model = declare(network, inputShape);
  const theta = vectorInput("theta", model.parameters, dtype);
  const buffers = vectorInput("buffers", model.buffers, dtype);
  const [x, labels] = [input("x", inputShape, dtype), input("labels", [inputShape[0]!], "i32")];
  const lossAt = (point: Tensor) =>
    crossEntropy(forward(model, x, { theta: point, buffers, training: true }).logits, labels);
  return { theta, lossAt, size: model.parameters.size };
}
