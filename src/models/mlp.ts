import { relu, tanh } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { linear } from "../nn/layers.ts";
import type { Network } from "../nn/scope.ts";
import { defineModel } from "./entry.ts";

export interface MlpOptions {
  readonly classes: number;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  readonly activation?: "relu" | "tanh";
}

/**
 * A fully connected network on the flattened input: [N, …] to [N, classes]. Its parameters are layers.0.weight,
 * layers.0.bias and so on.
 *
 * @example
 * ```ts
 * const network = mlp({ classes: 3, hidden: [16], activation: "tanh" });
 * const data = { train: { x: [[0], [1], [2]], y: [0, 1, 2] }, classes: 3 };
 * const { done } = train({ data, model: network, epochs: 1 });
 * console.log((await done).weights()["layers.0.weight"]?.shape); // [16, 1]
 * ```
 */
export const mlp =
  ({ classes, hidden, activation = "relu" }: MlpOptions): Network =>
  (scope, x) => {
    const act = activation === "relu" ? relu : tanh;
    const layer = (i: number) => scope.at("layers").at(String(i));
    const features = hidden.reduce((h, width, i) => act(linear(layer(i), h, width)), reshape(x, [x.shape[0]!, -1]));
    return linear(layer(hidden.length), features, classes);
  };

export const mlpEntry = defineModel({
  name: "mlp",
  summary: "depth hidden layers of width units",
  defaultWidth: 128,
  defaultDepth: 2,
  activations: ["relu", "tanh"],
  smooth: true,
  sample: { options: { classes: 3, width: 5, activation: "tanh" }, inputShape: [7, 6] },
  build: ({ classes, width, depth, activation }) =>
    mlp({ classes, hidden: new Array<number>(depth).fill(width), activation }),
});
