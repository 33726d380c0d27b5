import { dot, grad } from "../graph/grad.ts";
import { mul } from "../graph/ops/elementwise.ts";
import { sum } from "../graph/ops/reduce.ts";
import { constant, input } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { Optimizer, OptimizerSettings } from "../optim/optimizers.ts";
import { trainingStep } from "../optim/training-step.ts";
import { cosine } from "../optim/vector.ts";
import { compile, type CompileOptions, type Executable, type InputSpec } from "../runtime/compile.ts";
import { mapValues } from "../util/map-values.ts";
import { batchSpec, onBatch, type Task, type TracedBatch } from "./task.ts";

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

type Named = Record<"theta" | "v" | "lr" | "step", Tensor> & { readonly mask?: Tensor };

interface MethodGraphOptions {
  readonly method: Method;
  readonly optimizer: Optimizer;
  readonly settings: OptimizerSettings;
  readonly compile: CompileOptions;
}

export interface StepGraphOptions extends MethodGraphOptions {
  readonly clip: number;
  readonly follow: number;
  readonly metrics: readonly StepMetric[];
}

/** What a method and its optimizer read in one step, on one mini-batch. */
function stepSpec(task: Task, model: Model, { method, optimizer, settings }: MethodGraphOptions): InputSpec {
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
    ...batchSpec(task, model),
  };
}

/** The method's numbers and state vectors among the inputs. */
const valuesOf = ({ hyper, state }: Method, inputs: Traced) => ({
  ...record(Object.keys(hyper), (name) => inputs[hyperName(name)]!),
  ...record(Object.keys(state), (name) => inputs[stateName(name)]!),
});

/** The graph of one training step as a function of its inputs, and their shapes. */
function stepGraph(task: Task, model: Model, options: StepGraphOptions) {
  const { method, optimizer, settings, clip, follow, metrics } = options;
  const states = Object.keys(method.state);
  const scalars = Object.keys(optimizer.scalars(1, settings));
  const build = (inputs: Traced): Traced => {
    const { theta, v, lr, step, mask } = inputs as Named;
    const batch = inputs as unknown as TracedBatch;
    const { pass, f, targets } = onBatch(task, model, batch, { training: true });
    const made = trainingStep({
      ...{ f, theta, v, mask, step, follow, method, optimizer, settings, metrics, lr, clip },
      values: valuesOf(method, inputs),
      slots: record(optimizer.slots, (slot) => inputs[slotName(slot)]!),
      scalars: record(scalars, (name) => inputs[name]!),
    });
    const { logits, buffers } = pass(theta);
    return {
      loss: made.loss,
      ...Object.fromEntries(Object.entries(made.metrics).map(([name, value]) => [metricName(name), value])),
      ...(task.loss.correct ? { correct: sum(task.loss.correct(logits, targets)) } : {}),
      ...(model.buffers.size === 0 ? {} : { [nextName("buffers")]: buffers }),
      ...Object.fromEntries(states.map((name) => [nextName(stateName(name)), made.state[name]!])),
      ...Object.fromEntries(optimizer.slots.map((slot) => [nextName(slotName(slot)), made.slots[slot]!])),
      ...(made.v ? { [nextName("v")]: made.v } : {}),
      [nextName("theta")]: made.theta,
    };
  };
  return { build, spec: stepSpec(task, model, options) };
}

/**
 * One training step as one graph: both gradients, the perturbation, the update, the running statistics (of the first
 * pass alone, so once per step) and what is recorded. State vectors are written over in place.
 */
export function compileStepGraph(task: Task, model: Model, options: StepGraphOptions): Promise<Executable> {
  const { build, spec } = stepGraph(task, model, options);
  const inPlace = record(
    [
      "theta",
      ...Object.keys(options.method.state).map(stateName),
      ...options.optimizer.slots.map(slotName),
      ...(model.buffers.size === 0 ? [] : ["buffers"]),
    ],
    nextName,
  );
  // A metric, or a method with state, may read a vector after its successor is made.
  return compile(build, spec, { ...options.compile, inPlace, copyBack: true }) as Promise<Executable>;
}

/** Throws what compiling the same would throw for a mistake of the method's. */
export function traceStepGraph(task: Task, model: Model, options: StepGraphOptions): void {
  const { build, spec } = stepGraph(task, model, options);
  build(mapValues(spec, ({ shape, dtype }, name) => input(name, shape, dtype)));
}

/** |cos| of the gradient, and of the perturbation where there is one, with a unit vector u: what a step is about to do. */
export function compileLookGraph(task: Task, model: Model, options: MethodGraphOptions): Promise<Executable> {
  const { method } = options;
  const build = (inputs: Traced): Traced => {
    const { theta, v, step, u, mask = constant(1, theta.shape) } = inputs as Named & { readonly u: Tensor };
    const { f } = onBatch(task, model, inputs as unknown as TracedBatch, { training: true });
    const g = grad(f(theta), theta);
    const { epsilon } = method.descend({ f, theta, g, v, mask, step }, valuesOf(method, inputs));
    return { cosGrad: cosine(g, u), ...(epsilon ? { cosEps: cosine(epsilon, u) } : {}) };
  };
  const vector = { shape: [vectorLength(model.parameters)] };
  return compile(build, { ...stepSpec(task, model, options), u: vector }, options.compile) as Promise<Executable>;
}

/**
 * Sum of the losses and, for classes, the number of correct answers of one batch in inference mode. Where the loss of each example is
 * known, `weight` is 0 for rows that only fill the batch up; else the batch's mean counts for all its rows.
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
    };
  };
  return compile(
    build,
    { theta: { shape: [vectorLength(model.parameters)] }, ...spec, weight: { shape: [rows] } },
    options,
  ) as Promise<Executable>;
}

/** Predictions of one batch in inference mode: probabilities where the loss takes logits, else the outputs. */
export function compilePrediction(task: Task, model: Model, options: CompileOptions): Promise<Executable> {
  const { buffers, x } = batchSpec(task, model);
  const build = (inputs: Traced): Traced => {
    const { pass } = onBatch(task, model, { ...(inputs as unknown as TracedBatch), y: inputs.x! }, { training: false });
    return { prediction: task.loss.predict(pass(inputs.theta!).logits) };
  };
  return compile(
    build,
    { theta: { shape: [vectorLength(model.parameters)] }, buffers, x },
    options,
  ) as Promise<Executable>;
}
