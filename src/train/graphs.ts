import { external } from "../graph/external.ts";
import { dot } from "../graph/grad.ts";
import { mul } from "../graph/ops/elementwise.ts";
import { constant, input } from "../graph/ops/source.ts";
import { broadcastTo } from "../graph/ops/reduce.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import type { Loss } from "../optim/point.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import { gradAt, type Method } from "../optim/method.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { Optimizer, OptimizerSettings } from "../optim/optimizers.ts";
import { parametersOf } from "../optim/parameters.ts";
import { stepAlong, trainingStep } from "../optim/training-step.ts";
import { cosine } from "../optim/vector.ts";
import { compile, type CompileOptions, type Executable, type InputSpec } from "../runtime/compile.ts";
import { mapValues } from "../util/map-values.ts";
import { type LossGraph, type LossGraphs, type Losses, meanOf, onEachPart } from "./loss-graphs.ts";
import { WHOLE } from "./micro-batches.ts";
import { batchSpec, hasClasses, onBatch, type Task, type TracedBatch } from "./task.ts";

const number = { shape: [] } as const;

type Traced = Readonly<Record<string, Tensor>>;

/** Names of state vectors and numbers as inputs and outputs of the graph, apart from each other whatever a plugin calls its own. */
export const slotName = (slot: string): string => slot;
export const stateName = (vector: string): string => `state.${vector}`;
export const hyperName = (hyper: string): string => `hyper.${hyper}`;
export const metricName = (metric: string): string => `metric.${metric}`;
export const nextName = (name: string): string => `next_${name}`;

const record = <T>(names: readonly string[], value: (name: string) => T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, value(name)]));

type Named = Record<"theta" | "v" | "lr" | "step", Tensor> & {
  readonly mask?: Tensor;
  readonly noise?: Tensor;
  readonly lots?: Tensor;
};

interface MethodGraphOptions {
  readonly method: Method;
  readonly optimizer: Optimizer;
  readonly settings: OptimizerSettings;
  readonly clip: number;
  /** The method's numbers; only those that are part of the graph are read. */
  readonly numbers?: Readonly<Record<string, number>>;
}

export interface StepGraphOptions extends MethodGraphOptions {
  readonly follow: number;
  readonly metrics: readonly StepMetric[];
}

/** What a method and its optimizer read in one step, besides the mini-batch. */
function stepSpec(model: Model, { method, optimizer, settings }: MethodGraphOptions): InputSpec {
  const vector = { shape: [vectorLength(model.parameters)] };
  return {
    theta: vector,
    v: vector,
    lr: number,
    step: number,
    ...record(Object.keys(method.hyper).map(hyperName), () => number),
    ...record(Object.keys(method.state).map(stateName), () => vector),
    ...record(optimizer.slots.map(slotName), () => vector),
    ...record(Object.keys(optimizer.scalars(1, settings)), () => number),
    ...(method.needs.mask === undefined ? {} : { mask: vector }),
    ...(method.needs.noise ? { noise: vector } : {}),
    ...(method.needs.lots ? { lots: vector } : {}),
  };
}

/** The method's numbers and state vectors among the inputs. */
const valuesOf = ({ hyper, state }: Method, inputs: Traced, numbers: MethodGraphOptions["numbers"]) => ({
  ...record<Operand>(Object.keys(hyper), (name) =>
    hyper[name]!.fixed ? (numbers?.[name] ?? hyper[name]!.default) : inputs[hyperName(name)]!,
  ),
  ...record(Object.keys(state), (name) => inputs[stateName(name)]!),
});

/** What a step of the base optimizer reads. */
const optimizerArgs = (model: Model, { optimizer, settings, clip }: MethodGraphOptions, inputs: Traced) => ({
  ...{ optimizer, settings, clip, lr: inputs.lr! },
  slots: record(optimizer.slots, (slot) => inputs[slotName(slot)]!),
  scalars: record(Object.keys(optimizer.scalars(1, settings)), (name) => inputs[name]!),
  parameters: parametersOf(model.parameters, settings, model.frozen),
});

/** One step as a function of its inputs and of the mini-batch's losses. */
const stepOf =
  (model: Model, options: StepGraphOptions) =>
  (inputs: Traced, { parts }: Losses): Traced => {
    const { method, optimizer, follow, metrics } = options;
    const { theta, v, step, mask, noise, lots } = inputs as Named;
    const made = trainingStep({
      ...{ theta, v, mask, noise, lots, step, follow, metrics },
      ...optimizerArgs(model, options, inputs),
      ...{ f: meanOf(parts), method: onEachPart(method, parts) },
      values: valuesOf(method, inputs, options.numbers),
    });
    return {
      loss: made.loss,
      ...Object.fromEntries(Object.entries(made.metrics).map(([name, value]) => [metricName(name), value])),
      ...Object.fromEntries(Object.keys(method.state).map((name) => [nextName(stateName(name)), made.state[name]!])),
      ...Object.fromEntries(optimizer.slots.map((slot) => [nextName(slotName(slot)), made.slots[slot]!])),
      ...(made.clipped ? { clipped: made.clipped } : {}),
      ...(made.v ? { [nextName("v")]: made.v } : {}),
      [nextName("theta")]: made.theta,
    };
  };

/**
 * One training step: both gradients, the perturbation, the update, the running statistics (of the first pass alone, so once per
 * step and part) and what is recorded. State vectors are written over in place.
 */
export const compileStepGraph = (graphs: LossGraphs, model: Model, options: StepGraphOptions): Promise<LossGraph> =>
  graphs.compile(stepOf(model, options), stepSpec(model, options), {
    training: true,
    sees: true,
    kind: { name: "a step", shrinks: true },
    inPlace: record(
      ["theta", ...Object.keys(options.method.state).map(stateName), ...options.optimizer.slots.map(slotName)],
      nextName,
    ),
  });

/** Throws what compiling the same would throw for a mistake of the method's. */
export function traceStepGraph(model: Model, options: StepGraphOptions, examplesKnown: boolean): void {
  const spec = stepSpec(model, options);
  const whole = external(WHOLE);
  const losses = (theta: Tensor) => broadcastTo(reshape(whole(theta), [1]), [model.inputShape[0]!]);
  const f: Loss = examplesKnown
    ? Object.assign((at: Tensor) => whole(at), { examples: { losses, of: () => whole } })
    : whole;
  stepOf(model, options)(
    mapValues(spec, ({ shape, dtype }, name) => input(name, shape, dtype)),
    { whole: f, parts: [f] },
  );
}

/** |cos| of the gradient, and of the perturbation where there is one, with a unit vector u: what a step is about to do. */
export function compileLookGraph(graphs: LossGraphs, model: Model, options: MethodGraphOptions): Promise<LossGraph> {
  const build = (inputs: Traced, { parts }: Losses): Traced => {
    const { theta, v, step, u, mask = constant(1, theta.shape) } = inputs as Named & { readonly u: Tensor };
    const { noise = constant(0, theta.shape), lots = constant(0, theta.shape) } = inputs as Named;
    const [f, method] = [meanOf(parts), onEachPart(options.method, parts)];
    const g = gradAt(f, theta);
    const moved = (along: Tensor) => stepAlong({ theta, ...optimizerArgs(model, options, inputs) }, along).theta;
    const { epsilon } = method.descend(
      { f, theta, g, v, mask, noise, lots, moved, step },
      valuesOf(method, inputs, options.numbers),
    );
    return { cosGrad: cosine(g, u), ...(epsilon ? { cosEps: cosine(epsilon, u) } : {}) };
  };
  const vector = { shape: [vectorLength(model.parameters)] };
  return graphs.compile(
    build,
    { ...stepSpec(model, options), u: vector },
    {
      training: true,
      kind: { name: "a look of the probe", shrinks: true },
    },
  );
}

/**
 * Sum of the losses and, for classes, the number of correct answers of one batch in inference mode. Where the loss of each example is
 * known, `weight` is 0 for rows that only fill the batch up; else the batch's mean counts for all its rows. Where each example has a class, also the outputs.
 */
export function compileEvaluation(task: Task, model: Model, options: CompileOptions): Promise<Executable> {
  const spec = batchSpec(task, model);
  const rows = model.inputShape[0]!;
  const { each, correct, mean } = task.loss;
  const build = (inputs: Traced): Traced => {
    const { theta, weight } = inputs as Record<"theta" | "weight", Tensor>;
    const { pass, targets } = onBatch(task, model, inputs as unknown as TracedBatch, { training: false });
    const { logits } = pass(theta);
    return {
      loss: each ? dot(each(logits, targets), weight) : mul(rows, mean(logits, targets, { labelSmoothing: 0 })),
      ...(correct ? { correct: dot(correct(logits, targets), weight) } : {}),
      ...(hasClasses(task) ? { outputs: logits } : {}),
    };
  };
  return compile(
    build,
    { theta: { shape: [vectorLength(model.parameters)] }, ...spec, weight: { shape: [rows] } },
    options,
  ) as Promise<Executable>;
}

/** Outputs of one batch in inference mode, or predictions: probabilities where the loss takes logits, else the outputs. */
export function compilePrediction(
  task: Task,
  model: Model,
  options: CompileOptions,
  form: "predictions" | "outputs" = "predictions",
): Promise<Executable> {
  const { buffers, x } = batchSpec(task, model);
  const build = (inputs: Traced): Traced => {
    const { pass } = onBatch(task, model, { ...(inputs as unknown as TracedBatch), y: inputs.x! }, { training: false });
    const { logits } = pass(inputs.theta!);
    return { prediction: form === "outputs" ? logits : task.loss.predict(logits) };
  };
  return compile(
    build,
    { theta: { shape: [vectorLength(model.parameters)] }, buffers, x },
    options,
  ) as Promise<Executable>;
}
