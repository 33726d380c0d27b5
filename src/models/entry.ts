import type { Tensor } from "../graph/tensor.ts";
import { resizeImages } from "../nn/resize.ts";
import type { Network } from "../nn/scope.ts";
import { ConfigError } from "../util/errors.ts";
import type { Shape } from "../util/shape.ts";

/** The nonlinearities that models can be asked for. */
export type Activation = "relu" | "tanh" | "silu";

/** What a model of a registry can be asked for. */
export interface ModelOptions {
  /** Width of the output: classes, or numbers that are predicted. */
  readonly classes: number;
  /** Left out, the entry's default. */
  readonly width?: number | undefined;
  /** Only for models with a choice of depths. */
  readonly depth?: number | undefined;
  /** Only for transformers: heads of attention. */
  readonly heads?: number | undefined;
  /** Only for vision transformers: height and width of a patch, in pixels. */
  readonly patch?: number | undefined;
  /** Only for models that drop: rates of dropout, of dropout of attention and of stochastic depth, in [0, 1); left out, 0. */
  readonly dropout?: number | undefined;
  readonly attentionDropout?: number | undefined;
  readonly dropPath?: number | undefined;
  /** Height and width that images are resized to first, in pixels; left out, they stay as they are. */
  readonly resize?: number | undefined;
  /** One of those that the entry lists. */
  readonly activation?: Activation | undefined;
}

/** A model that configurations and commands know by name. */
export interface ModelEntry {
  readonly kind: "model";
  readonly name: string;
  /** One line, for help texts. */
  readonly summary: string;
  /** Left out where there is no choice. */
  readonly defaultWidth?: number;
  readonly defaultDepth?: number;
  readonly defaultHeads?: number;
  readonly defaultPatch?: number;
  /** Whether it has dropout and stochastic depth. */
  readonly drops?: true;
  /** The first is the default; left out where there is no choice. */
  readonly activations?: readonly Activation[];
  /** Whether every derivative exists where its activation has them: no max-pooling, no running statistics. `eigensam sde` takes such models. */
  readonly smooth?: true;
  /** Part of a method's own radius ρ that suits the network where none is given; left out, all of it. */
  readonly radius?: number;
  /** A small instance for the table-driven tests: options and the shape of a batch. */
  readonly sample?: { readonly options: ModelOptions; readonly inputShape: Shape };
  build(options: BuildOptions): Network;
}

/** Options with the defaults filled in; 1 where the entry has no default, and 0 for rates. */
interface BuildOptions {
  readonly classes: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly patch: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly dropPath: number;
  readonly activation: never;
}

/**
 * Declares a model, for a registry or a plugin. Its network maps [N, …] to [N, classes].
 *
 * @example
 * ```ts
 * const tiny = defineModel({
 *   name: "tiny",
 *   summary: "one linear layer on the flattened input",
 *   build: ({ classes }) => (scope, x) => linear(scope.at("out"), reshape(x, [x.shape[0] ?? 1, -1]), classes),
 * });
 * console.log(tiny.kind); // model
 * ```
 */
export const defineModel = (entry: Omit<ModelEntry, "kind">): ModelEntry => ({ kind: "model", ...entry });

/** Settings that are counts: what an entry without a choice lacks, and its default. */
const counts = {
  width: { lacks: "has no choice of widths", of: (entry) => entry.defaultWidth },
  depth: { lacks: "has no choice of depths", of: (entry) => entry.defaultDepth },
  heads: { lacks: "has no heads of attention", of: (entry) => entry.defaultHeads },
  patch: { lacks: "does not cut images into patches", of: (entry) => entry.defaultPatch },
} as const satisfies Readonly<Record<string, { readonly lacks: string; of(entry: ModelEntry): number | undefined }>>;
type Count = keyof typeof counts;

/** Settings that are parts in [0, 1), for entries with `drops`. */
const RATES = ["dropout", "attentionDropout", "dropPath"] as const;

/** The network of an entry. A setting that the model does not have, or not with that value, is a ConfigError. */
export function networkOf(entry: ModelEntry, options: ModelOptions): Network {
  const { name, activations = [] } = entry;
  const { classes, activation, resize } = options;
  const refuse = (key: string, value: unknown, why: string, hint: string) => {
    throw new ConfigError(`model.${key} is ${value}, but ${name} ${why}`, { name, [key]: value }, hint);
  };
  const given = Object.entries(counts).map(([key, { lacks, of }]): [Count, number] => {
    const [value, standard] = [options[key as Count], of(entry)];
    if (value !== undefined && standard === undefined) refuse(key, value, lacks, "leave it out");
    return [key as Count, value ?? standard ?? 1];
  });
  const rates = RATES.map((key): [(typeof RATES)[number], number] => {
    const value = options[key];
    if (value !== undefined && entry.drops !== true) refuse(key, value, "has no dropout", "leave it out");
    if (value !== undefined && !(value >= 0 && value < 1))
      throw new ConfigError(`model.${key} is ${value}, expected a number in [0, 1)`, { name, [key]: value });
    return [key, value ?? 0];
  });
  if (activation !== undefined && !activations.includes(activation))
    refuse(
      "activation",
      activation,
      activations.length > 0 ? `takes ${activations.join(" or ")}` : "has no choice of activations",
      activations.length > 0 ? `the default is ${activations[0]}` : "leave it out",
    );
  for (const [key, value] of [["classes", classes], ["resize", resize ?? 1], ...given] as const)
    if (!(Number.isInteger(value) && value >= 1))
      throw new ConfigError(
        `${key === "classes" ? key : `model.${key}`} is ${value}, expected a whole number of at least 1`,
        { name, [key]: value },
      );
  const filled = Object.fromEntries([...given, ...rates]) as Record<Count | (typeof RATES)[number], number>;
  const network = entry.build({ classes, ...filled, activation: (activation ?? activations[0]) as never });
  return resize === undefined ? network : (scope, x) => network(scope, resized(x, resize));
}

function resized(x: Tensor, side: number): Tensor {
  if (x.shape.length === 4) return resizeImages(x, side, side);
  throw new ConfigError(
    `model.resize is ${side}, but the inputs are [${["n", ...x.shape.slice(1)].join(", ")}], no images [n, C, H, W]`,
    { resize: side, inputShape: x.shape },
    "leave it out",
  );
}
