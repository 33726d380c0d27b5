import type { Dataset, LoadOptions } from "../data/dataset.ts";
import { datasets } from "../data/index.ts";
import type { DatasetEntry } from "../data/entry.ts";
import type { ModelEntry } from "../models/entry.ts";
import { modelEntries } from "../models/index.ts";
import { type LossRule, losses } from "../nn/losses.ts";
import type { Method } from "../optim/method.ts";
import { trainingMethods } from "../optim/methods/index.ts";
import { stepMetrics } from "../optim/metrics/index.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import { ConfigError, DeclarationError } from "../util/errors.ts";

/** Everything that settings can name. Plugins and code add entries to a copy; nothing global changes. */
export interface Registry {
  readonly methods: Readonly<Record<string, Method>>;
  readonly models: Readonly<Record<string, ModelEntry>>;
  readonly datasets: Readonly<Record<string, DatasetEntry>>;
  readonly losses: Readonly<Record<string, LossRule>>;
  readonly metrics: Readonly<Record<string, StepMetric>>;
}

/** What a plugin may declare: values made by defineMethod, defineModel, defineDataset, defineLoss or defineMetric. */
export type Declared = Method | ModelEntry | DatasetEntry | LossRule | StepMetric;

export const builtIn: Registry = {
  methods: trainingMethods,
  models: modelEntries,
  datasets,
  losses,
  metrics: stepMetrics,
};

const parts = {
  method: "methods",
  model: "models",
  dataset: "datasets",
  loss: "losses",
  metric: "metrics",
} as const satisfies Readonly<Record<Declared["kind"], keyof Registry>>;

/**
 * The registry with further entries.
 * @throws DeclarationError where a name is taken
 */
export function extended(registry: Registry, declared: readonly Declared[]): Registry {
  const result: Record<keyof Registry, Record<string, unknown>> = {
    methods: { ...registry.methods },
    models: { ...registry.models },
    datasets: { ...registry.datasets },
    losses: { ...registry.losses },
    metrics: { ...registry.metrics },
  };
  for (const { kind, name, ...rest } of declared) {
    const part = result[parts[kind]];
    if (name in part)
      throw new DeclarationError(`there is a ${kind} ${name} already`, { kind, name }, "choose another name");
    part[name] = { kind, name, ...rest };
  }
  return result as unknown as Registry;
}

/**
 * Reads the data set of a configuration.
 * @throws ConfigError where it asks for the authors' normalization of a set that their code does not read
 */
export async function datasetOf(
  { data }: { readonly data: LoadOptions & { readonly name: string } },
  { datasets: known }: Registry = builtIn,
): Promise<Dataset> {
  const entry = known[data.name]!;
  if (data.normalization !== "official") return entry.load(data);
  if (entry.official === undefined)
    throw new ConfigError(
      `data.normalization is official, but the authors' code does not read ${data.name}`,
      { data: data.name },
      "leave it out: the mean and deviation measured over the training images are used",
    );
  return { ...(await entry.load(data)), ...entry.official };
}

/** Whether a value was declared by one of the define functions. */
export const isDeclared = (value: unknown): value is Declared =>
  typeof value === "object" && value !== null && "kind" in value && "name" in value && String(value.kind) in parts;
