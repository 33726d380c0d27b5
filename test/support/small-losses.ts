import { readFileSync } from "node:fs";
import { mlp } from "../../src/models/mlp.ts";
import { mean, silu } from "../../src/nn/functions.ts";
import { fromNchw } from "../../src/nn/images.ts";
import { batchNorm, conv, linear } from "../../src/nn/layers.ts";
import { pack } from "../../src/nn/layout.ts";
import { declare, type Network } from "../../src/nn/scope.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { lossOf } from "./curvature.ts";
import { fill } from "./numbers.ts";

export const imagesOf = (seed: number, rows: number, size: number) => Float32Array.from(fill(seed, rows * size));
export const labelsOf = (rows: number, classes: number, from = 0) =>
  Int32Array.from({ length: rows }, (_, i) => (2 * (i + from) + 1) % classes);

export const golden = JSON.parse(readFileSync(new URL("../golden/mlp-tanh.json", import.meta.url), "utf8")) as {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly loss: number;
  readonly grad: readonly number[];
  readonly eigenvalues: readonly number[];
};

/** The network whose Hessian PyTorch diagonalized in float64. */
export const tanhNetwork: Network = mlp({ classes: 3, hidden: [5, 4], activation: "tanh" });
export const tanhModel = declare(tanhNetwork, [7, 6]);
export const tanhTheta = pack(
  tanhModel.parameters,
  Object.fromEntries(
    golden.names.map((name, k) => [name, fill(10 + k, sizeOf(golden.shapes[k]!), name.endsWith("weight") ? 0.8 : 0.3)]),
  ),
  new Float64Array(tanhModel.parameters.size),
);
export const tanhLoss = () =>
  lossOf({
    network: tanhNetwork,
    inputShape: [1, 1, 6],
    classes: 3,
    batches: [{ x: imagesOf(1, 7, 6), y: labelsOf(7, 3), rows: 7 }],
  });

/** Convolution, batch norm and a linear layer: 226 parameters. */
export const normedNetwork: Network = (scope, images) => {
  const a = silu(batchNorm(scope.at("bn1"), conv(scope.at("conv1"), fromNchw(images), 4, { kernel: 3 })));
  const b = silu(batchNorm(scope.at("bn2"), conv(scope.at("conv2"), a, 4, { kernel: 3, stride: 2 })));
  return linear(scope.at("linear"), mean(b, [0, 1]), 6);
};

export const normedModel = declare(normedNetwork, [10, 1, 6, 6]);
export const batchesOf = (rows: readonly number[]) =>
  rows.map((count, i) => ({ x: imagesOf(20 + i, count, 36), y: labelsOf(count, 6, i), rows: count }));
