import type { Batch } from "../data/dataset.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../nn/scope.ts";
import { maskOf, type Method } from "../optim/method.ts";
import { usam } from "../optim/methods/usam.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { Optimizer, OptimizerSettings } from "../optim/optimizers.ts";
import type { RefreshPlan, RefreshSettings } from "../optim/refresh-plan.ts";
import type { CompileOptions, Executable } from "../runtime/compile.ts";
import { compileStepGraph, hyperName, metricName, nextName, slotName, stateName } from "./graphs.ts";
import { compileEstimator, type Estimator, type RefreshMetrics } from "./refresh.ts";
import type { TrainState } from "./state.ts";
import type { Task } from "./task.ts";

/** The numbers of one step. */
export interface StepMetrics {
  /** Mean loss of the mini-batch at θ, before the step. */
  readonly loss: number;
  /** Correct answers in the mini-batch, of the same forward pass; undefined where there are no classes. */
  readonly correct: number | undefined;
  /** What the step metrics found, by name; those of v only where it has been estimated. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface StepperOptions {
  readonly task: Task;
  readonly model: Model;
  readonly method: Method;
  readonly optimizer: Optimizer;
  readonly settings: OptimizerSettings;
  /** The method's numbers by name. */
  readonly hyper: Readonly<Record<string, number>>;
  readonly clip: number;
  readonly plan: RefreshPlan;
  readonly warmup: RefreshSettings["warmup"];
  readonly hessianBn: "batch" | "running";
  readonly metrics: readonly StepMetric[];
  readonly compile: CompileOptions;
}

/** What may differ from one step to the next. */
export interface StepNumbers {
  /** Learning rate η. */
  readonly lr: number;
  /** Numbers of the method that differ from those it was compiled with. */
  readonly hyper?: Readonly<Record<string, number>>;
}

/** The compiled graphs of one method on one task. They hold no state: every call works on the state it is given, in place. */
export interface Stepper {
  /** Whether a new estimate of v is due before the next step of this state. */
  refreshDue(state: TrainState, stepInEpoch: number): boolean;
  /** Estimates v on one mini-batch, and measures it. */
  refresh(state: TrainState, batch: Batch): Promise<RefreshMetrics>;
  step(state: TrainState, batch: Batch, numbers: StepNumbers): Promise<StepMetrics>;
  release(): Promise<void>;
}

/** Compiles the graphs of a method: the step, a step of warm-up where it differs, and the estimates of v. */
export async function createStepper(options: StepperOptions): Promise<Stepper> {
  const { task, model, method, optimizer, settings, plan } = options;
  const resources: (Executable | Estimator)[] = [];
  const keep = async <T extends Executable | Estimator>(compiling: Promise<T>): Promise<T> => {
    const resource = await compiling;
    resources.push(resource);
    return resource;
  };
  const release = async () => {
    for (const resource of resources) await resource.release();
  };
  const metrics = options.metrics.filter(({ eigenvector }) => !eigenvector || plan.tracked);
  const plain = options.metrics.filter(({ eigenvector }) => !eigenvector);
  const ownV = method.needs.v === true;
  const estimator = (estimate: RefreshPlan["first"]) => keep(compileEstimator(task, model, estimate, options));
  const compileAll = async () => {
    const stepGraph = await keep(compileStepGraph(task, model, { ...options, metrics, follow: plan.follow }));
    const warmup = { ...options, method: warmedUp(method), metrics: plain, follow: 0 };
    const warmsUp = ownV && options.warmup === "usam";
    const warmupGraph = warmsUp ? await keep(compileStepGraph(task, model, warmup)) : stepGraph;
    const first = plan.tracked ? await estimator(plan.first) : undefined;
    const differs = plan.tracked && plan.interval > 0 && !same(plan.first, plan.later);
    return { stepGraph, warmupGraph, first, later: differs ? await estimator(plan.later) : first };
  };
  const { stepGraph, warmupGraph, first, later } = await compileAll().catch(async (error) => {
    await release();
    throw error;
  });
  const mask = method.needs.mask && { mask: maskOf(method.needs.mask, model.parameters) };
  const zero = new Float32Array(model.parameters.size);

  return {
    refreshDue: (state, stepInEpoch) => plan.tracked && plan.due({ step: state.step, stepInEpoch }, state.estimated),
    refresh: async (state, { x, y }) => {
      const { theta, buffers, v, estimated } = state;
      const { v: estimate, ...measured } = await (estimated ? later : first)!.estimate({ theta, buffers, v, x, y });
      if (!(estimated && plan.measuresOnly)) v.set(estimate);
      state.estimated = true;
      return measured;
    },
    step: async (state, { x, y }, { lr, hyper }) => {
      const { theta, buffers, estimated } = state;
      const graph = estimated ? stepGraph : warmupGraph;
      const scalars = optimizer.scalars(state.step + 1, settings);
      const results = await graph.run(
        {
          theta,
          buffers,
          ...keyed(state.slots, slotName),
          ...keyed(state.method, stateName),
          // A rule that has no estimate yet gets zeros: Eigen-SAM with v = 0 is SAM.
          v: estimated || !ownV ? state.v : zero,
          x,
          y,
          ...mask,
          ...scalarsOf({ lr, step: state.step, ...scalars, ...keyed({ ...options.hyper, ...hyper }, hyperName) }),
        },
        { reuse: true },
      );
      state.step++;
      const nextV = results[nextName("v")];
      // Diagnostics read v after its successor is made, so the two cannot share an array.
      if (estimated && nextV) state.v.set(nextV as Float32Array);
      const found = (estimated ? metrics : plain).flatMap(({ name }): [string, number][] => {
        const value = results[metricName(name)];
        return value ? [[name, value[0]!]] : [];
      });
      return { loss: results.loss![0]!, correct: results.correct?.[0], metrics: Object.fromEntries(found) };
    },
    release,
  };
}

/** USAM in the place of a method: it reads the method's ρ and leaves its state alone. */
const warmedUp = ({ hyper, state }: Method): Method => ({
  ...usam,
  hyper,
  state,
  descend: (at, values) => ({
    ...usam.descend(at, values),
    state: Object.fromEntries(Object.keys(state).map((name) => [name, values[name] as Tensor])),
  }),
});

const same = (a: RefreshPlan["first"], b: RefreshPlan["first"]): boolean =>
  a.estimator === b.estimator && a.products === b.products;

const keyed = <T>(values: Readonly<Record<string, T>>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [name(key), value]));

const scalarsOf = (values: Readonly<Record<string, number>>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Float32Array.of(value)]));
