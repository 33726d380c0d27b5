import type { Batch } from "../data/dataset.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../nn/scope.ts";
import { maskOf, type Method } from "../optim/method.ts";
import { usam } from "../optim/methods/usam.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { Optimizer, OptimizerSettings } from "../optim/optimizers.ts";
import type { Estimate } from "../optim/eigenvector.ts";
import { lastGood, type RefreshPlan, type RefreshSettings } from "../optim/refresh-plan.ts";
import type { Executable } from "../runtime/compile.ts";
import { randomDirection } from "../spectrum/vectors.ts";
import { compileLookGraph, compileStepGraph, hyperName, metricName, nextName, slotName, stateName } from "./graphs.ts";
import { compileEstimator, type Estimator, type EstimatorOptions, type RefreshMetrics } from "./refresh.ts";
import { rng } from "../util/rng.ts";
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

export interface StepperOptions extends EstimatorOptions {
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
  readonly metrics: readonly StepMetric[];
}

/** What may differ from one step to the next. */
export interface StepNumbers {
  /** Learning rate η. */
  readonly lr: number;
  /** Numbers of the method that differ from those it was compiled with. */
  readonly hyper?: Readonly<Record<string, number>>;
}

/** What a step does, seen from a unit vector u. */
export interface Look {
  /** |cos(g, u)|. */
  readonly cosGrad: number;
  /** |cos(ε, u)|, where the method perturbs. */
  readonly cosEps?: number;
}

/** The compiled graphs of one method on one task. They hold no state: every call works on the state it is given, in place. */
export interface Stepper {
  /** Whether a new estimate of v is due before the next step of this state. */
  refreshDue(state: TrainState, stepInEpoch: number): boolean;
  /** Estimates v on one mini-batch, and measures it. */
  refresh(state: TrainState, batch: Batch): Promise<RefreshMetrics>;
  step(state: TrainState, batch: Batch, numbers: StepNumbers): Promise<StepMetrics>;
  /** Whether the next step of this state perturbs along v. */
  usesV(state: TrainState): boolean;
  /** What that step would do, seen from the unit vector u. The state stays as it is. */
  look(state: TrainState, batch: Batch, numbers: StepNumbers, u: Float32Array): Promise<Look>;
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
  const ownV = method.needs.v === true;
  const metrics = options.metrics.filter(({ eigenvector }) => !eigenvector || ownV);
  const plain = options.metrics.filter(({ eigenvector }) => !eigenvector);
  const estimator = (estimate: Estimate) => keep(compileEstimator(task, model, estimate, options));
  const compileAll = async () => {
    const stepGraph = await keep(compileStepGraph(task, model, { ...options, metrics, follow: plan.follow }));
    const warmup = { ...options, method: warmedUp(method), metrics: plain, follow: 0 };
    const warmsUp = ownV && options.warmup === "usam";
    const warmupGraph = warmsUp ? await keep(compileStepGraph(task, model, warmup)) : stepGraph;
    const first = plan.first && (await estimator(plan.first));
    const differs = plan.interval > 0 && plan.later && !same(plan.first, plan.later);
    return { stepGraph, warmupGraph, first, later: differs ? await estimator(plan.later) : first };
  };
  const { stepGraph, warmupGraph, first, later } = await compileAll().catch(async (error) => {
    await release();
    throw error;
  });
  const mask = method.needs.mask && { mask: maskOf(method.needs.mask, model.parameters) };
  const zero = new Float32Array(model.parameters.size);
  let lookGraph: Promise<Executable> | undefined;

  const inputsOf = (state: TrainState, { x, y }: Batch, { lr, hyper }: StepNumbers) => ({
    theta: state.theta,
    buffers: state.buffers,
    ...keyed(state.slots, slotName),
    ...keyed(state.method, stateName),
    // A rule that has no good estimate gets zeros: Eigen-SAM with v = 0 is SAM.
    v: plan.usable(state.quality) || !ownV ? state.v : zero,
    x,
    y,
    ...mask,
    ...scalarsOf({
      ...{ lr, step: state.step },
      ...optimizer.scalars(state.step + 1, settings),
      ...keyed({ ...options.hyper, ...hyper }, hyperName),
    }),
  });

  return {
    refreshDue: (state, stepInEpoch) => plan.due({ step: state.step, stepInEpoch }, state.quality),
    refresh: async (state, { x, y }) => {
      const { theta, buffers, v, quality, step } = state;
      const [chosen, estimate] = lastGood(quality) ? [later!, plan.later!] : [first!, plan.first!];
      const { v: estimated, ...measured } = await chosen.estimate({ theta, buffers, v, x, y });
      // A product that is zero leaves nothing to iterate from.
      const lost = estimated.every((value) => value === 0);
      if (lost) randomDirection(v, rng(options.seed, "eigenvector", step));
      else v.set(estimated);
      state.quality = plan.judge(measured, estimate, step, quality);
      return { ...measured, good: lastGood(state.quality), used: plan.usable(state.quality) };
    },
    step: async (state, batch, numbers) => {
      const usable = plan.usable(state.quality);
      const graph = usable || state.quality.made ? stepGraph : warmupGraph;
      const results = await graph.run(inputsOf(state, batch, numbers), { reuse: true });
      state.step++;
      const nextV = results[nextName("v")];
      // Diagnostics read v after its successor is made, so the two cannot share an array.
      if (usable && nextV) state.v.set(nextV as Float32Array);
      const found = (usable ? metrics : plain).flatMap(({ name }): [string, number][] => {
        const value = results[metricName(name)];
        return value ? [[name, value[0]!]] : [];
      });
      return { loss: results.loss![0]!, correct: results.correct?.[0], metrics: Object.fromEntries(found) };
    },
    usesV: ({ quality }) => plan.usable(quality),
    look: async (state, batch, numbers, u) => {
      lookGraph ??= keep(compileLookGraph(task, model, options));
      const { cosGrad, cosEps } = await (await lookGraph).run(
        { ...inputsOf(state, batch, numbers), u },
        { reuse: true },
      );
      return { cosGrad: cosGrad![0]!, ...(cosEps ? { cosEps: cosEps[0]! } : {}) };
    },
    release,
  };
}

/** USAM in the place of a method: it reads the method's ρ, takes the same inputs and leaves its state alone. */
const warmedUp = ({ hyper, state, needs }: Method): Method => ({
  ...usam,
  ...{ hyper, state, needs },
  descend: (at, values) => ({
    ...usam.descend(at, values),
    state: Object.fromEntries(Object.keys(state).map((name) => [name, values[name] as Tensor])),
  }),
});

const same = (a: Estimate | undefined, b: Estimate): boolean =>
  a?.estimator === b.estimator && a.products === b.products;

const keyed = <T>(values: Readonly<Record<string, T>>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [name(key), value]));

const scalarsOf = (values: Readonly<Record<string, number>>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Float32Array.of(value)]));
