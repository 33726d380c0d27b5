import type { Batch } from "../data/dataset.ts";
import type { Model } from "../nn/scope.ts";
import { maskOf, type Method } from "../optim/method.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { Optimizer, OptimizerSettings } from "../optim/optimizers.ts";
import type { Estimate } from "../optim/eigenvector.ts";
import { methodOfPhase, ownPhase, type Phase } from "../optim/phases.ts";
import { lastGood, type RefreshPlan, type RefreshSettings } from "../optim/refresh-plan.ts";
import { gaussian, randomDirection } from "../spectrum/vectors.ts";
import {
  compileLookGraph,
  compileStepGraph,
  hyperName,
  metricName,
  nextName,
  slotName,
  stateName,
  traceStepGraph,
} from "./graphs.ts";
import { drawsOf } from "./draws.ts";
import { lossGraphs } from "./loss-graphs.ts";
import type { Recomputation } from "./recompute.ts";
import { resources } from "../util/resources.ts";
import { compileEstimator, type EstimatorOptions, type RefreshMetrics } from "./refresh.ts";
import { type Rng, rng } from "../util/rng.ts";
import { restrict } from "./frozen.ts";
import type { TrainState } from "./state.ts";
import { examplesKnown, type Task } from "./task.ts";

/** The numbers of one step. */
export interface StepMetrics {
  /** Mean loss of the mini-batch at θ, before the step. */
  readonly loss: number;
  /** Correct answers in the mini-batch, of the same forward pass; undefined where there are no classes. */
  readonly correct: number | undefined;
  /** What the step metrics found, by name; those of v only where it has been estimated. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The rule that the step took, and whether its direction was shortened. */
  readonly rule: Phase;
  readonly clipped: boolean;
}

export interface StepperOptions extends EstimatorOptions {
  readonly task: Task;
  /** The network for a mini-batch, or for one of its parts. */
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
  /** The step at which the method begins, counted from 0; those before it are its base optimizer's. Left out, 0. */
  readonly start?: number;
  /** The step that will be taken first. Left out, 0. */
  readonly at?: number;
  /** Memory that each graph may take, in MiB; left out, any. */
  readonly memoryLimit?: number | undefined;
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
  /** Which rule the next step of this state takes. */
  phase(state: Pick<TrainState, "step" | "quality">, numbers?: Pick<StepNumbers, "hyper">): Phase;
  /** Whether the next step of this state perturbs along v. */
  usesV(state: Pick<TrainState, "step" | "quality">): boolean;
  /** What that step would do, seen from the unit vector u. The state stays as it is. */
  look(state: TrainState, batch: Batch, numbers: StepNumbers, u: Float32Array): Promise<Look>;
  /** What the first step computes again, where memory is limited. */
  readonly recomputation: Recomputation | undefined;
  release(): Promise<void>;
}

/**
 * Compiles the graphs of a method: those of its first step at once, every other rule's when a step takes it. A rule that begins later is traced
 * at once, so that a mistake in it is found before the training.
 */
export async function createStepper(options: StepperOptions): Promise<Stepper> {
  const { task, model, method, optimizer, settings, plan, start = 0, at = 0 } = options;
  const ownV = method.needs.v === true;
  const metrics = options.metrics.filter(({ eigenvector }) => !eigenvector || ownV);
  const plain = options.metrics.filter(({ eigenvector }) => !eigenvector);
  const warmsUp = ownV && options.warmup === "usam";
  const optionsOf = (phase: Phase) => ({
    ...options,
    numbers: options.hyper,
    method: methodOfPhase(method, phase),
    metrics: phase === "own" || phase === "between" ? metrics : plain,
    follow: phase === "own" ? plan.follow : 0,
  });
  const graphs = lossGraphs(task, model, options.micro, options);
  const estimators = resources((estimate: Estimate) => compileEstimator(graphs, task, model, estimate, options));
  const steps = resources((phase: Phase) => compileStepGraph(graphs, model, optionsOf(phase)));
  const looks = resources((phase: Phase) => compileLookGraph(graphs, model, optionsOf(phase)));
  const release = async () => {
    for (const part of [steps, looks, estimators, graphs]) await part.release();
  };
  const knowsExamples = options.micro.count === 1 && examplesKnown(task, model);
  const compileFirst = async () => {
    const { recomputation } = await steps.get(at < start ? "before" : "own");
    if (at < start) {
      traceStepGraph(model, optionsOf("own"), knowsExamples);
      // It compiles nothing yet, and says where there are no examples for it.
      if (plan.first?.estimator === "oracle") await estimators.get(plan.first);
    } else {
      if (warmsUp) await steps.get("warmup");
      if (plan.first) await estimators.get(plan.first);
      if (plan.interval > 0 && plan.later) await estimators.get(plan.later);
    }
    if (method.between) traceStepGraph(model, optionsOf("between"), knowsExamples);
    return recomputation;
  };
  const recomputation = await compileFirst().catch(async (error) => {
    await release();
    throw error;
  });
  const mask = method.needs.mask && { mask: maskOf(method.needs.mask, model.parameters) };
  const draws = drawsOf(task, model, options.seed);
  const zero = new Float32Array(model.parameters.size);
  const begun = ({ step }: Pick<TrainState, "step">) => step >= start;
  const usesV: Stepper["usesV"] = (state) => begun(state) && plan.usable(state.quality);

  const phaseOf: Stepper["phase"] = (state, { hyper } = {}) => {
    if (!begun(state)) return "before";
    if (warmsUp && !state.quality.made && !usesV(state)) return "warmup";
    return ownPhase(method, state.step - start, { ...options.hyper, ...hyper });
  };

  /** The method's vectors that are θ at this step, as the method begins later than the run. */
  const startingAtTheta = ({ step }: TrainState): string[] =>
    start > 0 && step === start ? Object.keys(method.state).filter((name) => method.state[name] === "theta") : [];
  const vectorsOf = (state: TrainState): Record<string, Float32Array> => ({
    ...state.method,
    ...Object.fromEntries(startingAtTheta(state).map((name) => [name, state.theta])),
  });

  const inputsOf = (
    state: TrainState,
    { x, y }: Batch,
    { lr, hyper }: StepNumbers,
    phase: Phase,
    vectors: TrainState["method"],
  ) => ({
    theta: state.theta,
    buffers: state.buffers,
    ...keyed(state.slots, slotName),
    // A rule that has no good estimate gets zeros: Eigen-SAM with v = 0 is SAM.
    v: usesV(state) || !ownV ? state.v : zero,
    x,
    y,
    ...scalarsOf({ lr, step: Math.max(0, state.step - start), ...optimizer.scalars(state.step + 1, settings) }),
    ...(phase === "before"
      ? {}
      : {
          ...keyed(vectors, stateName),
          ...mask,
          ...(method.needs.noise
            ? { noise: gaussian(zero.length, "f32", rng(options.seed, "noise", state.step)) }
            : {}),
          ...(method.needs.lots ? { lots: lotsOf(model.parameters, rng(options.seed, "lots", state.step)) } : {}),
          ...scalarsOf(keyed({ ...options.hyper, ...hyper }, hyperName)),
        }),
  });

  return {
    refreshDue: (state, stepInEpoch) =>
      begun(state) && plan.due({ step: state.step - start, stepInEpoch }, state.quality),
    refresh: async (state, { x, y }) => {
      const { theta, buffers, v, quality, step } = state;
      const estimate = lastGood(quality) ? plan.later! : plan.first!;
      const inputs = { theta, buffers, v, x, y };
      const { v: estimated, ...measured } = await (await estimators.get(estimate)).estimate(inputs, draws(step));
      // A product that is zero leaves nothing to iterate from.
      const lost = estimated.every((value) => value === 0);
      if (lost) randomDirection(v, rng(options.seed, "eigenvector", step));
      else v.set(estimated);
      restrict(v, model);
      state.quality = plan.judge(measured, estimate, step - start, quality);
      return { ...measured, good: lastGood(state.quality), used: plan.usable(state.quality) };
    },
    step: async (state, batch, numbers) => {
      const [phase, along] = [phaseOf(state, numbers), usesV(state)];
      if (start > 0 && state.step === start) for (const part of [steps, looks]) await part.drop("before");
      const graph = await steps.get(phase);
      for (const name of startingAtTheta(state)) state.method[name]!.set(state.theta);
      const results = await graph.run(inputsOf(state, batch, numbers, phase, state.method), draws(state.step));
      state.step++;
      const nextV = results[nextName("v")];
      // Diagnostics read v after its successor is made, so the two cannot share an array.
      if (along && nextV) state.v.set(nextV as Float32Array);
      const found = (along ? metrics : plain).flatMap(({ name }): [string, number][] => {
        const value = results[metricName(name)];
        return value ? [[name, value[0]!]] : [];
      });
      return {
        ...{ loss: results.loss![0]!, correct: results.correct?.[0], metrics: Object.fromEntries(found) },
        ...{ rule: phase, clipped: results.clipped?.[0] === 1 },
      };
    },
    phase: phaseOf,
    usesV,
    recomputation,
    look: async (state, batch, numbers, u) => {
      const phase = phaseOf(state, numbers);
      // Without v, USAM's ε is parallel to the method's own.
      const seen = phase === "warmup" ? "own" : phase;
      const inputs = { ...inputsOf(state, batch, numbers, seen, vectorsOf(state)), u };
      const { cosGrad, cosEps } = await (await looks.get(seen)).run(inputs, draws(state.step));
      return { cosGrad: cosGrad![0]!, ...(cosEps ? { cosEps: cosEps[0]! } : {}) };
    },
    release,
  };
}

/** A random number for each parameter, in all its places. */
function lotsOf({ entries, size }: Model["parameters"], random: Rng): Float32Array {
  const lots = new Float32Array(Math.max(1, size));
  for (const { offset, size: places } of entries) lots.fill(random.uniform(), offset, offset + places);
  return lots;
}

const keyed = <T>(values: Readonly<Record<string, T>>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [name(key), value]));

const scalarsOf = (values: Readonly<Record<string, number>>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Float32Array.of(value)]));
