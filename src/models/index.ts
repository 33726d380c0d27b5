import type { Network } from "../nn/scope.ts";
import { mlp } from "./mlp.ts";
import { resnet18, resnet34, resnet50 } from "./resnet.ts";

/** What every model of the registry can be asked for by name. */
export interface NamedModelOptions {
  readonly classes: number;
  readonly width: number;
}

interface ModelEntry {
  /** One line, for help texts. */
  readonly summary: string;
  build(options: NamedModelOptions): Network;
}

/** The models that configurations and commands know by name; a new model is one line. */
export const models = {
  resnet18: { summary: "18 layers, CIFAR stem; width = channels of the first stage", build: resnet18 },
  resnet34: { summary: "34 layers, CIFAR stem", build: resnet34 },
  resnet50: { summary: "50 layers of bottlenecks, CIFAR stem", build: resnet50 },
  mlp: {
    summary: "two hidden layers of width units",
    build: ({ classes, width }) => mlp({ classes, hidden: [width, width] }),
  },
} as const satisfies Readonly<Record<string, ModelEntry>>;

export type ModelName = keyof typeof models;

export const modelNames = Object.keys(models) as readonly ModelName[];
