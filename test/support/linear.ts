import { linear, type Network } from "../../src/index.ts";
import type { Trained } from "../../src/node.ts";
import { rng } from "../../src/util/rng.ts";

/** y = x·wᵀ + b. */
export const oneLinear: Network = (scope, x) => linear(scope.at("out"), x, 1);

/** Plain gradient descent: with it a step of η moves θ by −η∇f. */
export const plain = { name: "sgd", momentum: 0, weightDecay: 0 } as const;

/** n rows of `features` normal numbers, and y = Σ (j + 1)·x_j + 2 + noise. */
export function regressionData(n: number, features: number, noise = 0.3) {
  const random = rng(3, "regression");
  const x = Array.from({ length: n }, () => Array.from({ length: features }, () => random.normal()));
  const y = x.map((row) => [row.reduce((sum, value, j) => sum + (j + 1) * value, 2) + noise * random.normal()]);
  return { x, y };
}

/** The weights and bias of a trained `oneLinear`, as one list. */
export function coefficients(trained: Trained): number[] {
  const { "out.weight": weight, "out.bias": bias } = trained.weights();
  return [...(weight?.data ?? []), ...(bias?.data ?? [])];
}

/** What `oneLinear` gives for a row, in float64. */
export const predicted = (row: readonly number[], wb: readonly number[]): number =>
  row.reduce((sum, value, j) => sum + value * (wb[j] ?? Number.NaN), wb[row.length] ?? Number.NaN);
