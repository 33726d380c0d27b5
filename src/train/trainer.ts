import { trainingMethods } from "../optim/methods.ts";
import type { Model } from "../nn/scope.ts";
import type { Executable } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import type { TrainConfig } from "./config.ts";
import { compileRefresh, compileStep, methodOf, optimizerOf } from "./graphs.ts";
import type { ImageFormat } from "./problem.ts";
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

export interface RefreshMetrics {
  /** Rayleigh quotient of the last vector that was multiplied. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| of the same vector. */
  readonly residual: number;
  /** |cos(g, v)| with the new v. */
  readonly cosGradV: number;
}

/** Where a step stands: counted over the whole run and within its epoch, both from 0. */
export interface Position {
  readonly step: number;
  readonly stepInEpoch: number;
}

/** The compiled graphs of one configuration, working on one state. */
export interface Trainer {
  readonly state: TrainState;
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
  const { warmup, every, compat } = config.method;
  const interval = method.eigenvector ? every : config.train.diagnosticsEvery;
  const tracked = interval > 0;
  const executables: Executable[] = [];
  const keep = async (compiling: Promise<Executable>) => {
    const executable = await compiling;
    executables.push(executable);
    return executable;
  };
  const stepGraph = await keep(compileStep(config, model, format, { method, alignment: tracked }));
  const usamSteps = method.eigenvector && warmup === "usam";
  const warmupGraph = usamSteps
    ? await keep(compileStep(config, model, format, { method: trainingMethods.usam, alignment: false }))
    : stepGraph;
  const refreshGraph = tracked ? await keep(compileRefresh(config, model, format)) : undefined;
  /** v of a rule that has no estimate yet: Eigen-SAM with v = 0 is SAM. */
  const none = method.eigenvector ? new Float32Array(state.v.length) : state.v;
  const { rho, alpha } = config.method;
  const constants = { rho: Float32Array.of(rho), alpha: Float32Array.of(alpha) };

  return {
    state,
    refreshDue: ({ step, stepInEpoch }) => {
      if (!tracked) return false;
      // The authors' code counts steps within the epoch and skips the first (paper.md, section 2, item 2).
      if (compat === "official" && method.eigenvector) return stepInEpoch > 0 && stepInEpoch % every === 0;
      return step % interval === 0 && (step > 0 || warmup === "estimate" || !method.eigenvector);
    },
    refresh: async ({ images, labels }) => {
      const { theta, buffers, v } = state;
      const results = await refreshGraph!.run({ theta, buffers, v, x: images, y: labels });
      v.set(results.nextV as Float32Array);
      state.estimated = true;
      return {
        eigenvalue: results.eigenvalue![0]!,
        residual: results.residual![0]!,
        cosGradV: results.cosGradV![0]!,
      };
    },
    step: async ({ images, labels }, lr) => {
      const { theta, buffers, slots, estimated } = state;
      const scalars = optimizer.scalars(state.step + 1, config.optimizer);
      const graph = estimated ? stepGraph : warmupGraph;
      const results = await graph.run({
        theta,
        buffers,
        ...slots,
        v: estimated ? state.v : none,
        x: images,
        y: labels,
        lr: Float32Array.of(lr),
        ...constants,
        ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)])),
      });
      state.step++;
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
      for (const executable of executables) await executable.release();
    },
  };
}
