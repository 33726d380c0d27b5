import type { Network } from "../nn/scope.ts";
import { ConfigError } from "../util/errors.ts";
import { namesOf } from "../util/names.ts";
import { cnn6Entry } from "./cnn6.ts";
import { type ModelEntry, type ModelOptions, networkOf } from "./entry.ts";
import { mlpEntry } from "./mlp.ts";
import { resnet18Entry, resnet34Entry, resnet50Entry } from "./resnet.ts";
import { smoothCnnEntry } from "./smooth-cnn.ts";
import { vitB16Entry, vitEntry } from "./vit.ts";
import { wideResnetEntry } from "./wide-resnet.ts";

/** The models that configurations and commands know by name; a new one is one file and one line. */
export const modelEntries = {
  resnet18: resnet18Entry,
  resnet34: resnet34Entry,
  resnet50: resnet50Entry,
  "wide-resnet": wideResnetEntry,
  cnn6: cnn6Entry,
  "smooth-cnn": smoothCnnEntry,
  mlp: mlpEntry,
  vit: vitEntry,
  "vit-b16": vitB16Entry,
} as const satisfies Readonly<Record<string, ModelEntry>>;

/** Name of a built-in model. */
export type ModelName = keyof typeof modelEntries;

/** The names of the built-in models. */
export const modelNames = namesOf(modelEntries);

/**
 * The network of a name in `modelNames`. What is left out has the model's default.
 *
 * @throws ConfigError where there is no such model, or it lacks a setting
 * @example
 * ```ts
 * const network = namedModel("mlp", { classes: 3, width: 8 });
 * const data = { train: { x: [[0], [1], [2]], y: [0, 1, 2] }, classes: 3 };
 * const { done } = train({ data, model: network, epochs: 1 });
 * console.log((await done).steps); // 1
 * ```
 */
export function namedModel(name: ModelName, options: ModelOptions): Network {
  if (!modelNames.includes(name))
    throw new ConfigError(`there is no model ${name}`, { name }, `models: ${modelNames.join(", ")}`);
  return networkOf(modelEntries[name], options);
}
