import { input } from "../../src/graph/ops/source.ts";
import type { FloatDType, Tensor } from "../../src/graph/tensor.ts";
import { networkOf } from "../../src/models/entry.ts";
import { modelEntries } from "../../src/models/index.ts";
import { crossEntropy } from "../../src/nn/functions.ts";
import { declare, forward, type Network, vectorInput } from "../../src/nn/scope.ts";
import type { Shape } from "../../src/util/shape.ts";

export interface Sample {
  readonly network: Network;
  readonly inputShape: Shape;
}

/** Every model of the registry, small, by the sample that it declares. */
export const networks: Readonly<Record<string, Sample>> = Object.fromEntries(
  Object.entries(modelEntries).map(([name, entry]) => {
    const { options, inputShape } = entry.sample!;
    return [name, { network: networkOf(entry, options), inputShape }];
  }),
);

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
