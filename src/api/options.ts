import type { Dataset } from "../data/dataset.ts";
import { defineDataset } from "../data/entry.ts";
import type { DatasetName } from "../data/index.ts";
import { type Activation, defineModel } from "../models/entry.ts";
import type { ModelName } from "../models/index.ts";
import { type LossFunction, type LossName, lossOf, losses } from "../nn/losses.ts";
import type { Network } from "../nn/scope.ts";
import type { SolverName } from "../optim/eigenvector.ts";
import type { Hypers } from "../optim/hyper.ts";
import type { Method } from "../optim/method.ts";
import type { trainingMethods } from "../optim/methods/index.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { OptimizerName, OptimizerSettings } from "../optim/optimizers.ts";
import type { ScheduleName } from "../optim/schedules.ts";
import type { Device } from "../runtime/device.ts";
import type { TrainConfig } from "../train/config.ts";
import { builtIn, datasetOf, type Declared, extended, type Registry } from "../train/registry.ts";
import { trainSettings } from "../train/settings.ts";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { type DataInput, datasetOfArrays, type TargetKind } from "./arrays.ts";

/** How a method's v is kept up; see `docs/guide/measure.md`. */
export interface EigenvectorOptions {
  /** How v is estimated; left out, "free": it follows the change of the gradient. */
  readonly solver?: SolverName;
  /** Steps between estimates, k (100). */
  readonly every?: number;
  /** Hessian-vector products per estimate, p (5). */
  readonly iterations?: number;
  /** Part of v that the change of the gradient replaces in every step, for the solver "free" (0.1). */
  readonly follow?: number;
  /** Batch norm inside the Hessian: by the mini-batch's statistics (the default) or the running ones. */
  readonly hessianBn?: "batch" | "running";
  /** Before the first regular estimate: make one at step 0 (the default), or take steps of SAM or USAM. */
  readonly warmup?: "estimate" | "sam" | "usam";
  /** "official" decides warmup, hessianBn and solver as the authors' code does. */
  readonly compat?: "none" | "official";
}

type BuiltIn = typeof trainingMethods;
type NumbersOf<H extends Hypers> = { readonly [K in keyof H]?: number };

/** A built-in method by name with the numbers it reads. */
export type NamedMethod = {
  [N in keyof BuiltIn]: { readonly name: N } & NumbersOf<BuiltIn[N]["hyper"]> & EigenvectorOptions;
}[keyof BuiltIn];

/** A method by value with the numbers it reads. */
export type UsedMethod<M extends Method> = { readonly use: M } & NumbersOf<M["hyper"]> & EigenvectorOptions;

/** A built-in model with its settings. */
export interface ModelChoice {
  readonly name: ModelName;
  /** Channels of the first stage, widening factor or hidden units; left out, the model's default. */
  readonly width?: number;
  /** Layers, where the model has a choice. */
  readonly depth?: number;
  /** The nonlinearity, where the model has a choice. */
  readonly activation?: Activation;
}

/** A base optimizer with its settings. */
export interface OptimizerChoice extends Partial<OptimizerSettings> {
  /** Left out, "sgd". */
  readonly name?: OptimizerName;
  /** Learning rate η (0.1). */
  readonly lr?: number;
}

/** A learning-rate schedule with its settings. */
export interface ScheduleChoice {
  /** Left out, "cosine". */
  readonly name?: ScheduleName;
  /** Epochs of linear warm-up (0). */
  readonly warmup?: number;
  /** Epochs at which "step" multiplies the rate by gamma. */
  readonly milestones?: readonly number[];
  /** Factor at each milestone (0.1). */
  readonly gamma?: number;
}

/** How a mini-batch is stepped on: shared by `train` and `compileStep`. */
export interface StepChoices<M extends Method> {
  /** Left out, cross-entropy for labels and mse for real-valued targets. A function gets (output, target) and gives the mean. */
  readonly loss?: LossName | LossFunction;
  /** Left out, Eigen-SAM. */
  readonly method?: keyof BuiltIn | NamedMethod | UsedMethod<M>;
  /** Left out, SGD with momentum. */
  readonly optimizer?: OptimizerName | OptimizerChoice;
  /** Part of each target that is spread over all classes. */
  readonly labelSmoothing?: number;
  /** Largest norm of the descent direction; 0 is off. */
  readonly clip?: number;
  /** Left out, "cpu". */
  readonly device?: Device;
  /** Threads of ONNX Runtime; left out, one per core. */
  readonly threads?: number;
  /** Further numbers that every step records. */
  readonly metrics?: readonly StepMetric[];
}

/** Everything that `train` can be told. All but data and model have the defaults of `eigensam train`. */
export interface TrainOptions<M extends Method = Method> extends StepChoices<M> {
  /** A shipped or fetched set by name, or data of one's own. */
  readonly data: DatasetName | { readonly name: DatasetName; readonly dir?: string } | DataInput;
  /** A model by name, or a network function of one's own. */
  readonly model: ModelName | ModelChoice | Network;
  /** How the learning rate changes over the run; left out, the cosine to 0. */
  readonly schedule?: ScheduleName | ScheduleChoice;
  /** Passes over the training examples (10). */
  readonly epochs?: number;
  /** Examples per step (128). */
  readonly batch?: number;
  /** Decides initialization, order of examples, augmentation and first eigenvector (1). */
  readonly seed?: number;
  /** Part of the training examples kept for validation; left out, 0.1 for named sets and 0 for arrays. */
  readonly validation?: number;
  /** Random changes of training images; left out, crop 4 and flip for named sets and none for arrays. */
  readonly augment?: false | { readonly crop?: number; readonly flip?: boolean; readonly cutout?: number };
  /** Steps between checkpoints inside an epoch; 0, the default, saves at its end alone. */
  readonly checkpointEvery?: number;
  /** Steps between measurements of λ₁ where the method makes no estimates of its own; 0, the default, is off. */
  readonly diagnosticsEvery?: number;
  /** Epochs between scorings of the test examples besides the last; 0, the default, is off. */
  readonly testEvery?: number;
  /** A run directory; a run in it that was stopped or killed resumes. Left out, everything stays in memory. */
  readonly dir?: string;
}

/** What options stand for. */
export interface Resolved {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly registry: Registry;
}

const KEYS = [
  ...["data", "model", "loss", "method", "optimizer", "schedule", "epochs", "batch", "seed", "validation", "augment"],
  ...[
    "labelSmoothing",
    "clip",
    "device",
    "threads",
    "metrics",
    "checkpointEvery",
    "diagnosticsEvery",
    "testEvery",
    "dir",
  ],
] as const satisfies readonly (keyof TrainOptions)[];

/**
 * Settings, data and registry of some options. Functions and arrays become entries of a registry of their own, so that the same
 * schema checks everything.
 * @throws ConfigError with the nearest valid name where one is unknown; DataError where arrays do not fit
 */
export async function resolveOptions<M extends Method>(options: TrainOptions<M>): Promise<Resolved> {
  assertKeys(options, KEYS, "train");
  const arrays = typeof options.data === "object" && "train" in options.data ? options.data : undefined;
  const dataset = arrays && (await datasetOfArrays(arrays, targetKind(options.loss)));
  const step = stepEntries(options, dataset?.targets ?? { kind: "labels", classes: 1 });
  const { model } = options;
  const declared: Declared[] = [
    ...step.declared,
    ...(typeof model === "function" ? [networkEntry(model)] : []),
    ...(dataset ? [defineDataset({ name: dataset.name, summary: "arrays of the caller", load: () => dataset })] : []),
  ];
  const registry = extended(builtIn, declared);
  const table = {
    ...step.table,
    ...defined({ seed: options.seed }),
    model: typeof model === "function" ? { name: CUSTOM } : named(model),
    data: {
      ...(dataset ? { name: dataset.name, validation: 0, ...NO_CHANGES } : named(options.data)),
      ...defined({ batch: options.batch, validation: options.validation }),
      ...(options.augment === false ? NO_CHANGES : options.augment),
    },
    ...(options.schedule === undefined ? {} : { schedule: named(options.schedule) }),
    train: {
      ...step.table.train,
      ...defined(pick(options, ["epochs", "checkpointEvery", "diagnosticsEvery", "testEvery"])),
    },
  };
  const config = trainSettings(registry).check(table, "train");
  return { config, registry, dataset: dataset ?? (await datasetOf(config, registry)) };
}

/** Name of a network or loss that is given as a function. */
const CUSTOM = "custom";

const NO_CHANGES = { crop: 0, flip: false, cutout: 0 };

export const networkEntry = (network: Network) =>
  defineModel({ name: CUSTOM, summary: "a network function of the caller", build: () => network });

/** What the choices of a step add to a registry, and the settings they make. */
export function stepEntries<M extends Method>(options: StepChoices<M>, targets: Dataset["targets"]) {
  const { loss, method, optimizer, metrics = [] } = options;
  const used = typeof method === "object" && "use" in method ? method : undefined;
  const declared: Declared[] = [
    ...(typeof loss === "function" ? [lossOf(loss, targets, CUSTOM)] : []),
    ...(used && builtIn.methods[used.use.name] !== used.use ? [used.use] : []),
    ...metrics,
  ];
  const { use, ...numbers } = used ?? { use: undefined };
  const table = {
    ...defined(pick(options, ["device", "threads"])),
    ...(method === undefined ? {} : { method: use ? { name: use.name, ...numbers } : named(method as NamedMethod) }),
    ...(optimizer === undefined ? {} : { optimizer: named(optimizer) }),
    train: {
      ...(loss === undefined ? {} : { loss: typeof loss === "function" ? CUSTOM : loss }),
      ...defined(pick(options, ["labelSmoothing", "clip"])),
    },
  };
  return { declared, table };
}

/** The kind of targets a loss asks for; where it does not say, the arrays decide. */
const targetKind = (loss: LossName | LossFunction | undefined): TargetKind =>
  loss === undefined
    ? "integers are labels"
    : typeof loss === "function"
      ? "int32 are labels"
      : (losses[loss]?.targets ?? "values");

const named = <T extends object>(choice: string | T): object =>
  typeof choice === "string" ? { name: choice } : choice;

const pick = <T extends object>(from: T, keys: readonly (keyof T)[]): object =>
  Object.fromEntries(keys.map((key) => [key, from[key]]));

const defined = (values: object): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Throws where options have a key that is not known. */
export function assertKeys(options: object, known: readonly string[], source: string): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  throw new ConfigError(
    `${source}: there is no option ${unknown}`,
    { option: unknown, near },
    near === undefined ? `options: ${known.join(", ")}` : `did you mean ${near}?`,
  );
}
