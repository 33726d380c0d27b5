import { type Dataset, isSplit } from "../data/dataset.ts";
import { type DatasetEntry, defineDataset } from "../data/entry.ts";
import { defineModel, type ModelEntry } from "../models/entry.ts";
import { mlpEntry } from "../models/mlp.ts";
import { type ModelName, modelEntries } from "../models/index.ts";
import { type LossName, type LossRule, lossOf, losses } from "../nn/losses.ts";
import type { Network } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import { optimizers } from "../optim/optimizers.ts";
import { type TrainConfig, unreadKeys } from "../train/config.ts";
import { builtIn, datasetOf, type Declared, extended, type Registry } from "../train/registry.ts";
import { trainSettings } from "../train/settings.ts";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { type DataInput, datasetOfArrays, type TargetKind } from "./arrays.ts";
import type { NamedMethod, StepChoices, TrainOptions } from "./options.ts";

/** What options stand for. */
export interface Resolved {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly registry: Registry;
}

const KEYS = [
  ...["data", "model", "loss", "method", "optimizer", "schedule", "epochs", "batch", "seed", "validation", "augment"],
  ...["examples", "labelNoise", "mixup", "labelSmoothing", "clip", "device", "threads", "metrics"],
  ...[
    "probe",
    "testEvery",
    "accumulate",
    "memoryLimit",
    "ema",
    "patience",
    "validateEvery",
    "tensorboard",
    "dir",
    "freeze",
    "checkpointEvery",
  ],
] as const satisfies readonly (keyof TrainOptions)[];

/** Options of earlier versions, and what they are called now. */
const RENAMED: Readonly<Record<string, string>> = { diagnosticsEvery: "probe" };

/**
 * Settings, data and registry of some options. Functions and arrays become entries of a registry of their own, so that the same
 * schema checks everything.
 * @throws ConfigError with the nearest valid name where one is unknown; DataError where arrays do not fit
 */
export async function resolveOptions<M extends Method>(options: TrainOptions<M>): Promise<Resolved> {
  assertKeys(options, KEYS, "train", RENAMED);
  const { data, model } = options;
  const arrays = isArrays(data) ? data : undefined;
  if (arrays) assertKeys(arrays, ["name", "train", "val", "test", "classes", "stepsPerEpoch"], "train: data");
  const dataset = arrays && (await datasetOfArrays(arrays, targetKind(options.loss)));
  if (dataset) assertRead(options, dataset);
  const step = stepEntries(options, dataset?.targets ?? { kind: "labels", classes: 1 });
  const network = modelChoice(model);
  const own = dataset ? arraysEntry(dataset) : usedOf(data);
  const registry = extended(builtIn, [
    ...step.declared,
    ...(network.use ? [network.use] : []),
    ...(own && builtIn.datasets[own.name] !== own ? [own] : []),
  ]);
  const table = {
    ...step.table,
    ...defined({ seed: options.seed }),
    model: { ...step.table.model, ...network.table },
    data: {
      ...(dataset ? { name: dataset.name, validation: 0, ...NO_CHANGES, ...rowsOf(dataset, options) } : chosen(data)),
      ...defined(pick(options, ["batch", "validation", "examples", "labelNoise", "mixup"])),
      ...(options.augment === false ? NO_CHANGES : options.augment),
    },
    ...(options.schedule === undefined ? {} : { schedule: named(options.schedule) }),
    ...(options.probe === undefined
      ? {}
      : { probe: typeof options.probe === "number" ? { every: options.probe } : options.probe }),
    train: {
      ...step.table.train,
      ...defined(
        pick(options, [
          "epochs",
          "checkpointEvery",
          "testEvery",
          "tensorboard",
          "accumulate",
          "memoryLimit",
          "ema",
          "patience",
          "validateEvery",
        ]),
      ),
    },
  };
  const config = settingsOf(table, registry, "train");
  return { config, registry, dataset: dataset ?? (await datasetOf(config, registry)) };
}

/** The table's settings; numbers that the method does not read, and settings that the optimizer does not, are refused. */
export function settingsOf(
  table: { readonly method?: object; readonly optimizer?: object; readonly model?: object },
  registry: Registry,
  source: string,
): TrainConfig {
  const config = trainSettings(registry).check(table, source);
  const { method, optimizer } = config;
  const reads: readonly string[] = ["name", "lr", ...optimizers[optimizer.name].reads, "noDecay", "layerDecay"];
  const unread = [
    ...unreadKeys({ ...table.method, name: method.name }, registry),
    ...Object.keys(table.optimizer ?? {})
      .filter((key) => !reads.includes(key))
      .map((key) => `optimizer.${key}`),
  ];
  const [first] = unread;
  if (first === undefined) return config;
  const byMethod = first.startsWith("method.");
  const known = byMethod ? Object.keys(registry.methods[method.name]?.hyper ?? {}) : reads.slice(1);
  throw new ConfigError(
    `${source}: ${byMethod ? method.name : optimizer.name} does not read ${first}`,
    { unread },
    known.length > 0 ? `it reads ${known.join(", ")}` : "leave it out",
  );
}

export const isArrays = (data: TrainOptions["data"]): data is DataInput => {
  if (typeof data === "string") return false;
  if (typeof data !== "object" || data === null)
    throw new ConfigError(
      `train: data is ${data === undefined ? "missing" : String(data)}`,
      {},
      'give "fashion-mini", or { train: { x, y } }',
    );
  return !("name" in data && !("train" in data)) && !("use" in data);
};

export const usedOf = (data: TrainOptions["data"]): DatasetEntry | undefined =>
  typeof data === "object" && "use" in data ? data.use : undefined;

/** A named data set, or one by value, as settings have it. */
function chosen(data: TrainOptions["data"]): object {
  if (typeof data === "string") return { name: data };
  if (!("use" in data)) return data;
  const { use, ...settings } = data;
  return { name: use.name, ...settings };
}

/** Arrays with fewer training examples than the default batch make one of them all. */
function rowsOf(
  { train }: Dataset,
  { validation = 0, examples = 0 }: Pick<TrainOptions, "validation" | "examples">,
): object {
  if (!isSplit(train)) return {};
  const kept = examples || train.count - Math.round(validation * train.count);
  return kept > 0 && kept < 128 ? { batch: kept } : {};
}

/** What a model choice adds to a registry, and the settings it makes. */
export function modelChoice(model: TrainOptions["model"]): { readonly use?: ModelEntry; readonly table: object } {
  if (typeof model === "function") return { use: networkEntry(model), table: { name: CUSTOM } };
  if (typeof model === "string") return { table: { name: model } };
  if (typeof model !== "object" || model === null)
    throw new ConfigError(
      `train: model is ${model === undefined ? "missing" : String(model)}`,
      {},
      'give "resnet18", or a function of (scope, x)',
    );
  if (!("use" in model)) return { table: model };
  const { use, ...settings } = model;
  return { ...(modelEntries[use.name as ModelName] === use ? {} : { use }), table: { name: use.name, ...settings } };
}

/** Throws where an option would change nothing, because the data decides. */
function assertRead(options: TrainOptions, dataset: Dataset): void {
  const { batch, validation, examples, labelNoise, augment } = options;
  const streamed = !isSplit(dataset.train);
  const refuse = (option: string, why: string, hint: string) => {
    throw new ConfigError(`train: ${option} is given, but ${why}`, { option }, hint);
  };
  if (streamed && batch !== undefined) refuse("batch", "data.train gives batches", "leave batch out");
  if (validation !== undefined && validation > 0 && streamed)
    refuse("validation", "data.train gives batches", "give the held-out examples as data.val");
  if (streamed && examples) refuse("examples", "data.train gives batches", "give fewer of them");
  if (streamed && labelNoise) refuse("labelNoise", "data.train gives batches", "change the labels there");
  if (validation !== undefined && validation > 0 && dataset.val !== undefined)
    refuse("validation", "data.val is given too", "leave one of them out");
  if (augment && dataset.inputShape.length !== 3)
    refuse("augment", `inputs are [n${["", ...dataset.inputShape].join(", ")}]`, "it changes images, [n, C, H, W]");
}

/** Arrays of the caller as an entry of a registry. */
export const arraysEntry = (dataset: Dataset) =>
  defineDataset({
    name: dataset.name,
    summary: "arrays of the caller",
    ...(dataset.inputShape.length === 1 ? { model: mlpEntry.name } : {}),
    load: () => dataset,
  });

/** Name of a network or loss that is given as a function. */
export const CUSTOM = "custom";

const NO_CHANGES = { crop: 0, flip: false, cutout: 0 };

export const networkEntry = (network: Network) =>
  defineModel({ name: CUSTOM, summary: "a network function of the caller", build: () => network });

/** What the choices of a step add to a registry, and the settings they make. */
export function stepEntries<M extends Method>(options: StepChoices<M>, targets: Dataset["targets"]) {
  const { loss, method, optimizer, metrics = [] } = options;
  const rule =
    typeof loss === "function" ? lossOf(loss, targets, CUSTOM) : typeof loss === "object" ? loss.use : undefined;
  const used = typeof method === "object" && "use" in method ? method : undefined;
  const declared: Declared[] = [
    ...(rule && losses[rule.name as LossName] !== rule ? [rule] : []),
    ...(used && builtIn.methods[used.use.name] !== used.use ? [used.use] : []),
    ...metrics,
  ];
  const { use, ...numbers } = used ?? { use: undefined };
  const table = {
    ...defined(pick(options, ["device", "threads"])),
    ...(method === undefined ? {} : { method: use ? { name: use.name, ...numbers } : named(method as NamedMethod) }),
    ...(optimizer === undefined ? {} : { optimizer: named(optimizer) }),
    model: defined(pick(options, ["freeze"])),
    train: {
      ...(loss === undefined ? {} : { loss: rule?.name ?? loss }),
      ...defined(pick(options, ["labelSmoothing", "clip"])),
    },
  };
  return { declared, table };
}

/** The kind of targets a loss asks for; one that is not given may be known by its name. */
export function targetKind(loss: StepChoices<Method>["loss"], name?: string): TargetKind {
  if (loss === undefined && name !== undefined) return losses[name as LossName]?.targets;
  if (loss === undefined) return undefined;
  if (typeof loss === "function") return "chosen";
  const rule: LossRule | undefined = typeof loss === "string" ? losses[loss] : loss.use;
  return rule?.targets ?? "chosen";
}

const named = <T extends object>(choice: string | T): object =>
  typeof choice === "string" ? { name: choice } : choice;

const pick = <T extends object>(from: T, keys: readonly (keyof T)[]): object =>
  Object.fromEntries(keys.map((key) => [key, from[key]]));

const defined = (values: object): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Throws where options have a key that is not known, or was `renamed`. */
export function assertKeys(
  options: object,
  known: readonly string[],
  source: string,
  renamed: Readonly<Record<string, string>> = {},
): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const now = renamed[unknown];
  if (now !== undefined)
    throw new ConfigError(`${source}: there is no option ${unknown}`, { option: unknown, now }, `it is ${now} now`);
  const near = nearest(unknown, known);
  throw new ConfigError(
    `${source}: there is no option ${unknown}`,
    { option: unknown, near },
    near === undefined ? `options: ${known.join(", ")}` : `did you mean ${near}?`,
  );
}
