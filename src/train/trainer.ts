import { trainingMethods } from "../optim/methods.ts";
import type { Model } from "../nn/scope.ts";
import type { Executable } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import type { TrainConfig } from "./config.ts";
import { solvers } from "../optim/eigenvector.ts";
import { compileStep, methodOf, optimizerOf, solverOf } from "./graphs.ts";
import type { ImageFormat } from "./problem.ts";
import { compileEstimator, type RefreshMetrics } from "./refresh.ts";
import type { TrainState } from "./state.ts";

export interface Batch {
  /** [batch, C, H, W]. */
  readonly images: TypedArray;
  readonly labels: Int32Array;
}

export interface StepMetrics {
  /** Mean loss of the mini-batch at θ, before the step. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Right answers in the mini-batch, of the same forward pass. */
  readonly correct: number;
  /** |cos(g, v)|, where v has been estimated. */
  readonly cosGradV?: number;
  /** |cos(ε, v)|, where v has been estimated and the method perturbs. */
  readonly cosEpsV?: number;
}

/** Where a step stands: counted over the whole run and within its epoch, both from 0. */
export interface Position {
  readonly step: number;
  readonly stepInEpoch: number;
}

/** The compiled graphs of one configuration, working on one state. */
export interface Trainer {
  readonly state: TrainState;
  /** Steps between estimates, or measurements, of v; 0 where there are none after the first. */
  readonly interval: number;
  /** Hessian-vector products of every estimate but the first. */
  readonly products: number;
  /** Whether a new estimate of v is due before this step. */
  refreshDue(at: Position): boolean;
  refresh(batch: Batch): Promise<RefreshMetrics>;
  step(batch: Batch, lr: number): Promise<StepMetrics>;
  release(): Promise<void>;
}

export async function createTrainer(
  config: TrainConfig,
  model: Model,
  format: ImageFormat,
  state: TrainState,
): Promise<Trainer> {
  const method = methodOf(config);
  const optimizer = optimizerOf(config);
  const { warmup, every, iterations, compat, rho, alpha } = config.method;
  const { diagnosticsEvery } = config.train;
  // Methods without an eigenvector are measured, and by the solver that finds the largest signed eigenvalue.
  const solver = method.eigenvector ? solverOf(config) : solvers.lanczos;
  const interval = method.eigenvector ? solver.interval(config.method) : diagnosticsEvery;
  const tracked = method.eigenvector || diagnosticsEvery > 0;
  const follow = method.eigenvector && solver.follow ? config.method.follow : 0;
  const resources: Pick<Executable, "release">[] = [];
  const keep = async <T extends Pick<Executable, "release">>(compiling: Promise<T>): Promise<T> => {
    const resource = await compiling;
    resources.push(resource);
    return resource;
  };
  const stepGraph = await keep(compileStep(config, model, format, { method, alignment: tracked, follow }));
  const usamSteps = method.eigenvector && warmup === "usam";
  const warmupGraph = usamSteps
    ? await keep(compileStep(config, model, format, { method: trainingMethods.usam, alignment: false, follow: 0 }))
    : stepGraph;
  const estimatorOf = (products: number) => keep(compileEstimator(config, model, format, solver, products));
  const first = tracked ? await estimatorOf(iterations) : undefined;
  const products = method.eigenvector ? solver.products(config.method) : iterations;
  const later = interval > 0 && products !== iterations ? await estimatorOf(products) : first;
  /** v of a rule that has no estimate yet: Eigen-SAM with v = 0 is SAM. */
  const none = method.eigenvector ? new Float32Array(state.v.length) : state.v;
  const constants = { rho: Float32Array.of(rho), alpha: Float32Array.of(alpha) };
  /** Without further estimates of its own, v is measured where diagnostics ask for it, and left alone. */
  const measuredOnly = () => state.estimated && interval === 0;

  return {
    state,
    interval: interval > 0 ? interval : diagnosticsEvery,
    products,
    refreshDue: ({ step, stepInEpoch }) => {
      if (!tracked) return false;
      // The authors' code counts steps within the epoch and skips the first (paper.md, section 2, item 2).
      if (compat === "official" && method.eigenvector) return stepInEpoch > 0 && stepInEpoch % every === 0;
      if (step === 0) return warmup === "estimate" || !method.eigenvector;
      if (interval > 0) return step % interval === 0;
      return state.estimated ? diagnosticsEvery > 0 && step % diagnosticsEvery === 0 : step % every === 0;
    },
    refresh: async ({ images, labels }) => {
      const { theta, buffers, v } = state;
      const estimator = state.estimated ? (measuredOnly() ? first : later) : first;
      const { v: estimate, ...metrics } = await estimator!.estimate({ theta, buffers, v, x: images, y: labels });
      if (!measuredOnly()) v.set(estimate);
      state.estimated = true;
      return metrics;
    },
    step: async ({ images, labels }, lr) => {
      const { theta, buffers, slots, estimated } = state;
      const scalars = optimizer.scalars(state.step + 1, config.optimizer);
      const graph = estimated ? stepGraph : warmupGraph;
      const results = await graph.run(
        {
          theta,
          buffers,
          ...slots,
          v: estimated ? state.v : none,
          x: images,
          y: labels,
          lr: Float32Array.of(lr),
          ...constants,
          ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)])),
        },
        { reuse: true },
      );
      state.step++;
      // Diagnostics read v after its successor is made, so the two cannot share an array.
      if (estimated && results.nextV) state.v.set(results.nextV as Float32Array);
      const { cosGradV, cosEpsV } = results;
      return {
        loss: results.loss![0]!,
        gradNorm: results.gradNorm![0]!,
        correct: results.correct![0]!,
        ...(estimated && cosGradV ? { cosGradV: cosGradV[0]! } : {}),
        ...(estimated && cosEpsV ? { cosEpsV: cosEpsV[0]! } : {}),
      };
    },
    release: async () => {
      for (const resource of resources) await resource.release();
    },
  };
}
