import { relu } from "../../src/graph/ops/elementwise.ts";
import { defineModel } from "../../src/models/entry.ts";
import { mean } from "../../src/nn/functions.ts";
import { fromNchw } from "../../src/nn/images.ts";
import { batchNorm, conv, linear } from "../../src/nn/layers.ts";
import { builtIn, extended } from "../../src/train/registry.ts";
import { trainRunOf } from "../../src/train/run-dir.ts";
import { trainSettings } from "../../src/train/settings.ts";

/** The smallest network that has all that training treats apart: convolutions, batch norm with running statistics, kinks, biases. */
const batchNormNet = defineModel({
  name: "batch-norm-net",
  summary: "two convolutions with batch norm, and a linear layer",
  build:
    ({ classes }) =>
    (scope, images) => {
      const x = relu(batchNorm(scope.at("bn1"), conv(scope.at("conv1"), fromNchw(images), 16, { kernel: 3 })));
      const y = relu(batchNorm(scope.at("bn2"), conv(scope.at("conv2"), x, 16, { kernel: 3, stride: 2 })));
      return linear(scope.at("linear"), mean(y, [0, 1]), classes);
    },
});

/** What is built in, and that network: a tenth of the graph of the smallest ResNet. */
export const registry = extended(builtIn, [batchNormNet]);
export const trainRun = trainRunOf(registry);
export const checkConfig = trainSettings(registry).check;
