import type { Network } from "../nn/scope.ts";
import { ConfigError } from "../util/errors.ts";
import { cnn6 } from "./cnn6.ts";
import { mlp } from "./mlp.ts";
import { resnet18, resnet34, resnet50 } from "./resnet.ts";
import { wideResnet } from "./wide-resnet.ts";
import { namesOf } from "../util/names.ts";

export type Activation = "relu" | "tanh" | "silu";

/** What a model of the registry can be asked for by name. */
export interface NamedModelOptions {
  readonly classes: number;
  /** Left out, the entry's default. */
  readonly width?: number | undefined;
  /** Only for models with a choice of depths. */
  readonly depth?: number | undefined;
  /** One of those that the entry lists. */
  readonly activation?: Activation | undefined;
}

interface ModelEntry {
  /** One line, for help texts. */
  readonly summary: string;
  readonly defaultWidth: number;
  /** Left out where there is no choice. */
  readonly defaultDepth?: number;
  /** The first is the default. */
  readonly activations: readonly Activation[];
  build(options: {
    readonly classes: number;
    readonly width: number;
    readonly depth: number;
    readonly activation: never;
  }): Network;
}

const residual = { defaultWidth: 64, activations: ["relu", "silu"] } as const;

/** The models that configurations and commands know by name; a new model is one entry. */
export const modelEntries = {
  resnet18: { ...residual, summary: "18 layers, CIFAR stem; width = channels of the first stage", build: resnet18 },
  resnet34: { ...residual, summary: "34 layers, CIFAR stem", build: resnet34 },
  resnet50: { ...residual, summary: "50 layers of bottlenecks, CIFAR stem", build: resnet50 },
  "wide-resnet": {
    summary: "depth 6n + 4, width = widening factor: 28 and 10 are WRN-28-10",
    defaultWidth: 10,
    defaultDepth: 28,
    activations: ["relu", "silu"],
    build: wideResnet,
  },
  cnn6: {
    summary: "six layers without batch norm; width = channels of the first",
    defaultWidth: 32,
    activations: ["relu", "tanh", "silu"],
    build: cnn6,
  },
  mlp: {
    summary: "depth hidden layers of width units",
    defaultWidth: 128,
    defaultDepth: 2,
    activations: ["relu", "tanh"],
    build: ({ classes, width, depth, activation }) =>
      mlp({ classes, hidden: new Array<number>(depth).fill(width), activation }),
  },
} as const satisfies Readonly<Record<string, ModelEntry>>;

export type ModelName = keyof typeof modelEntries;

export const modelNames = namesOf(modelEntries);

/** The network of a name. A setting that the model does not have, or not with that value, is an error. */
export function namedModel(name: ModelName, { classes, width, depth, activation }: NamedModelOptions): Network {
  if (!modelNames.includes(name))
    throw new ConfigError(`there is no model ${name}`, { name }, `models: ${modelNames.join(", ")}`);
  const entry: ModelEntry = modelEntries[name];
  if (depth !== undefined && entry.defaultDepth === undefined)
    throw new ConfigError(
      `model.depth is ${depth}, but ${name} has no choice of depths`,
      { name, depth },
      "leave it out",
    );
  if (activation !== undefined && !entry.activations.includes(activation))
    throw new ConfigError(
      `model.activation is ${activation}, but ${name} takes ${entry.activations.join(" or ")}`,
      { name, activation },
      `the default is ${entry.activations[0]}`,
    );
  const counts = {
    classes,
    width: width ?? entry.defaultWidth,
    depth: depth ?? entry.defaultDepth ?? 1,
  };
  for (const [key, value] of Object.entries(counts))
    if (!(Number.isInteger(value) && value >= 1))
      throw new ConfigError(
        `${key === "classes" ? key : `model.${key}`} is ${value}, expected a whole number of at least 1`,
        { name, [key]: value },
      );
  return entry.build({ ...counts, activation: (activation ?? entry.activations[0]) as never });
}
