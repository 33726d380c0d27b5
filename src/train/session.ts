import type { BatchStream } from "../data/batches.ts";
import { assertBatch, openBatches, openSource } from "../data/batches.ts";
import { type Dataset, isSplit, type Split } from "../data/dataset.ts";
import { partsOf } from "../data/split.ts";
import type { LossRule } from "../nn/losses.ts";
import type { Model } from "../nn/scope.ts";
import { solvers } from "../optim/eigenvector.ts";
import type { Method } from "../optim/method.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import { type Optimizer, optimizers } from "../optim/optimizers.ts";
import { type RefreshPlan, refreshPlan } from "../optim/refresh-plan.ts";
import { scheduleFactor } from "../optim/schedules.ts";
import type { CompileOptions } from "../runtime/compile.ts";
import { DataError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import { hyperOf, methodOf, type TrainConfig } from "./config.ts";
import { augmentationOf } from "./augmentation.ts";
import { fixedBatches } from "./fixed-batches.ts";
import { type Probe, probeOf } from "./probe.ts";
import { assertValidated } from "./early.ts";
import { createEvaluator, type Evaluator } from "./evaluate.ts";
import { assertBase, assertEffective } from "./notes.ts";
import { type Micro, microOf } from "./micro.ts";
import { recomputationNote } from "./recompute.ts";
import { builtIn, type Registry } from "./registry.ts";
import { headOf } from "./head.ts";
import { type StartFile, startFileOf, startFrom } from "./start-weights.ts";
import { initialState, type TrainState } from "./state.ts";
import { createStepper, type StepNumbers, type Stepper } from "./stepper.ts";
import { datasetFormat, type Format, modelFor, type Task, taskOf } from "./task.ts";

/** What a configuration stands for, before anything is compiled. */
export interface Problem {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly task: Task;
  readonly method: Method;
  readonly optimizer: Optimizer;
  readonly metrics: readonly StepMetric[];
  readonly plan: RefreshPlan;
  /** The network for a training batch, or for one of its micro-batches. */
  readonly model: Model;
  readonly micro: Micro;
  /** Examples per step. */
  readonly batch: number;
  readonly train: Dataset["train"];
  readonly val: Split | undefined;
  /** The file that it starts from; undefined where it starts at random. */
  readonly startFile: StartFile | undefined;
}

export const compileOptions = ({ device, threads }: Pick<TrainConfig, "device" | "threads">): CompileOptions => ({
  device,
  ...(threads === 0 ? {} : { threads }),
});

/** Examples that are computed at a time. */
export const rowsOf = ({ batch, micro }: Pick<Problem, "batch" | "micro">): number => batch / micro.count;

/** What a stepper reads of the settings. */
export function stepperSettings(config: TrainConfig, method: Method) {
  assertBase(method, config.optimizer);
  return {
    ...config.method,
    method,
    optimizer: optimizers[config.optimizer.name],
    plan: refreshPlan(method, solvers[config.method.solver], config.method),
    settings: config.optimizer,
    hyper: hyperOf(method, config.method),
    clip: config.train.clip,
    compile: compileOptions(config),
    memoryLimit: config.train.memoryLimit,
    seed: config.seed,
  };
}

/** The parts of a run: its data set split, its network declared, its method planned. */
export function problemOf(
  config: TrainConfig,
  dataset: Dataset,
  registry: Registry = builtIn,
  format: Format = datasetFormat(dataset),
): Problem {
  const method = methodOf(config, registry);
  assertEffective(config, method.needs.v === true);
  const batch = isSplit(dataset.train) ? config.data.batch : dataset.train.batch;
  const { train, val } = partsOf(dataset, config.data, config.seed, dataset.targets);
  // Before the network, which may be large, is made.
  augmentationOf(config.data, dataset);
  if (isSplit(train)) assertBatch(train, batch);
  assertValidated(config.train, val);
  const task = taskOf(config, registry, format);
  assertWithin(task.loss, dataset);
  const { optimizer, plan } = stepperSettings(config, method);
  const micro = microOf(config, method, batch);
  return {
    config,
    dataset,
    task,
    method,
    optimizer,
    metrics: Object.values(registry.metrics),
    plan,
    model: modelFor(task, batch / micro.count),
    micro,
    batch,
    train,
    val,
    startFile: startFileOf(config.model, () => headOf(registry.models[config.model.name]!, config.model, format)),
  };
}

/** Throws where the loss takes targets of some range, and an array has others. */
function assertWithin({ name, within }: LossRule, { train, val, test }: Dataset): void {
  if (within === undefined) return;
  const [least, most] = within;
  for (const [part, split] of Object.entries({ train: isSplit(train) ? train : undefined, val, test })) {
    const at = split?.y.findIndex((value) => !(value >= least && value <= most)) ?? -1;
    if (at >= 0)
      throw new DataError(
        `${part} targets: element ${at} is ${split?.y[at]}, but loss ${name} takes ${least} to ${most}`,
        { part, at },
        "scale the targets, or use mse",
      );
  }
}

/** The state before the first step, and what there is to say about the weights that it starts from. */
export function startOf({ model, optimizer, method, config, startFile }: Problem): {
  readonly state: TrainState;
  readonly notes: readonly string[];
} {
  const notes: string[] = [];
  const state = initialState(model, optimizer, method, config.seed, config.model.init, (fresh) => {
    if (startFile === undefined) return fresh;
    const { notes: said, ...weights } = startFrom(startFile, model, fresh);
    notes.push(...said);
    return weights;
  });
  if (config.train.ema === undefined) return { state, notes };
  const averaged = { theta: state.theta.slice(), buffers: state.buffers.slice() };
  return { state: { ...state, averaged }, notes };
}

export const firstState = (problem: Problem): TrainState => startOf(problem).state;

/** A run at work: compiled graphs, a state, and its batches from where the state stands. */
export interface Session extends Problem {
  readonly state: TrainState;
  readonly stepper: Stepper;
  readonly evaluator: Evaluator;
  readonly batches: BatchStream;
  /** Looks at the training, where the settings ask for it. */
  readonly probe: Probe | undefined;
  readonly stepsPerEpoch: number;
  /** What there is to say about its memory. */
  readonly notes: readonly string[];
  release(): Promise<void>;
}

export interface SessionStart {
  readonly state: TrainState;
  /** Epoch and step in it, from 0. */
  readonly from: { readonly epoch: number; readonly step: number };
}

/** Opens the batches and compiles the step. Training, the dry run, studies and code all train through one of these. */
export async function openSession(problem: Problem, start?: SessionStart): Promise<Session> {
  const { config, method, task } = problem;
  const { from, state } = start ?? { from: { epoch: 0, step: 0 }, state: firstState(problem) };
  const probe = probeOf(problem);
  const batches = batchesOf(problem, from);
  try {
    const stepper = await createStepper({
      ...problem,
      ...stepperSettings(config, method),
      fixed: oracleBatches(problem),
      start: methodStart(config, batches.stepsPerEpoch),
      at: state.step,
    });
    const evaluator = createEvaluator(task, rowsOf(problem), compileOptions(config));
    return {
      ...problem,
      state,
      stepper,
      evaluator,
      batches,
      probe,
      stepsPerEpoch: batches.stepsPerEpoch,
      notes: stepper.recomputation ? [recomputationNote(stepper.recomputation, config.train.memoryLimit!)] : [],
      release: async () => {
        await batches.close();
        await stepper.release();
        await evaluator.release();
        await probe?.release();
      },
    };
  } catch (error) {
    await batches.close();
    throw error;
  }
}

/** The mini-batches of the oracle's Hessian; undefined where the examples are not in memory. */
const oracleBatches = ({ config, train, batch, micro }: Problem) =>
  isSplit(train)
    ? () => fixedBatches(train, batch, config.method.batches, rng(config.seed, "oracle"), micro.count)
    : undefined;

function batchesOf({ config, dataset, train, batch }: Problem, from: SessionStart["from"]): BatchStream {
  const { inputShape } = dataset;
  const { epochs } = config.train;
  if (!isSplit(train)) return openSource(train, inputShape, { from, epochs });
  const augment = augmentationOf(config.data, dataset);
  return openBatches(train, { inputShape, batch, seed: config.seed, augment, from, epochs });
}

/** The step at which the method begins, counted from 0. */
export const methodStart = ({ method }: Pick<TrainConfig, "method">, stepsPerEpoch: number): number =>
  Math.round((method.from ?? 0) * stepsPerEpoch);

/** What differs from step to step, a function of the step alone: η by the schedule, and ρ while it grows. */
export function numbersOf(config: TrainConfig, step: number, stepsPerEpoch: number): StepNumbers {
  const { optimizer, schedule, method } = config;
  const { epochs } = config.train;
  const lr = optimizer.lr * scheduleFactor(schedule.name, { ...schedule, step, stepsPerEpoch, epochs });
  const growing = Math.round((method.rhoWarmup ?? 0) * stepsPerEpoch);
  const own = Math.max(0, step - methodStart(config, stepsPerEpoch));
  return own < growing ? { lr, hyper: { rho: (method.rho as number) * (own / growing) } } : { lr };
}
