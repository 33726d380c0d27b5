import { type Batch, type Dataset, isSplit } from "../data/dataset.ts";
import type { Model } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import { subspaceAlignment } from "../spectrum/alignment.ts";
import { extremeEigenpairs } from "../spectrum/extremes.ts";
import { addScaled, inner, length, type Vector, warmStart } from "../spectrum/vectors.ts";
import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import type { TrainConfig } from "./config.ts";
import { empiricalLoss } from "./empirical-loss.ts";
import { fixedBatches } from "./fixed-batches.ts";
import type { Micro } from "./micro.ts";
import type { ProbeLine } from "./records.ts";
import type { TrainState } from "./state.ts";
import type { StepNumbers, Stepper } from "./stepper.ts";
import type { Task } from "./task.ts";

/** What one look found: the fields of its line in metrics.jsonl. */
export type ProbeLook = Omit<ProbeLine, "kind" | "step" | "epoch">;

/** The run that is looked at. */
interface Probed {
  readonly config: TrainConfig;
  readonly task: Task;
  readonly method: Pick<Method, "needs">;
  readonly model: Model;
  /** Examples per step. */
  readonly batch: number;
  /** How they are computed, in the probe as well. */
  readonly micro: Micro;
  readonly train: Dataset["train"];
}

/** The step that is about to be taken, where one is. */
export interface ComingStep {
  readonly stepper: Stepper;
  readonly batch: Batch;
  readonly numbers: StepNumbers;
}

export interface LookOptions {
  readonly coming?: ComingStep | undefined;
  readonly stop?: AbortSignal | undefined;
}

/** Looks at a training from outside, at chosen steps, before the step is taken and after the last. It changes nothing. */
export interface Probe {
  /** Whether it looks before step `step` of `total`, counted from 0; `total` itself is the end. */
  due(step: number, total: number): boolean;
  /** Where `stop` aborts, the look ends before its next product, throws the signal's reason and has changed nothing. */
  look(state: TrainState, of?: LookOptions): Promise<ProbeLook>;
  release(): Promise<void>;
}

/**
 * The probe of a run, or undefined where its settings ask for none: Lanczos on H̄, the mean Hessian over `probe.batches` mini-batches
 * that are drawn once, of the training's size, and that neither a step nor an estimate of v uses. Every method is measured alike.
 * @throws ConfigError where there are no training examples in memory to measure
 */
export function probeOf({ config, task, train, batch, micro, model, method }: Probed): Probe | undefined {
  const { every, at, batches: asked, top: k, tolerance, products } = config.probe;
  if (every === 0 && at.length === 0) return undefined;
  if (!isSplit(train))
    throw new ConfigError(
      "probe.every and probe.at measure the Hessian of training examples in memory, and these come from a stream",
      { every, at },
      "leave them out, or give the examples as arrays",
    );
  const batches = fixedBatches(train, batch, asked, rng(config.seed, "probe"), micro.count);
  const { device, threads } = config;
  // Batch norm takes the statistics of each mini-batch, as training does, so running ones are never read.
  const buffers = new Float32Array(Math.max(1, model.buffers.size));
  const loss = empiricalLoss({ task, buffers, batches, bn: "batch", dtype: "f32", device, threads });
  const top = Math.min(k, model.parameters.size);
  return {
    due: (step, total) => at.includes(step) || (every > 0 && (step % every === 0 || step === total)),
    look: async (state, { coming, stop } = {}) => {
      const random = rng(config.seed, "probe", "start", state.step);
      const H = loss.hessian(state.theta, undefined, stop);
      const found = await extremeEigenpairs(H, {
        ...{ top, bottom: 0, tolerance, maxProducts: products, random },
        ...(state.probe.start ? { start: warmStart(state.probe.start, random) } : {}),
      });
      const vectors = found.top.map(({ vector }) => vector);
      const eigenvalues = found.top.map(({ eigenvalue }) => eigenvalue);
      const own = method.needs.v === true;
      // Asked for together, they share the passes over the mini-batches.
      const multiplied = await Promise.all([...vectors, ...(own ? [state.v] : [])].map((v) => H.apply(v)));
      const residuals = vectors.map((v, i) => residualOf(v, multiplied[i]!, eigenvalues[i]!));
      state.probe.start = Float32Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, v) => sum + v[i]!, 0));
      const v1 = vectors[0] as Float32Array;
      const seen = coming && (await coming.stepper.look(state, coming.batch, coming.numbers, v1));
      return {
        loss: await loss.loss(state.theta),
        eigenvalue: eigenvalues[0]!,
        residual: residuals[0]!,
        eigenvalues,
        residuals,
        products: found.products + multiplied.length,
        batches: batches.length / micro.count,
        images: loss.images,
        ...(own ? qualityOf(state, multiplied.at(-1)!, eigenvalues[0]!, vectors) : {}),
        ...(coming && own ? { inUse: coming.stepper.usesV(state) } : {}),
        ...(seen ? { cosGrad: seen.cosGrad } : {}),
        ...(seen?.cosEps === undefined ? {} : { cosEps: seen.cosEps }),
      };
    },
    release: () => loss.release(),
  };
}

/** ‖Hv − λv‖/|λ| of a unit vector. */
function residualOf(v: Vector, Hv: Vector, eigenvalue: number): number {
  const rest = Float64Array.from(Hv);
  addScaled(rest, -eigenvalue, v);
  return length(rest) / Math.abs(eigenvalue);
}

/** What the solver's v is worth: vᵀH̄v/λ₁, and cos² of its angle to the top eigenvectors. */
const qualityOf = ({ v }: TrainState, Hv: Vector, eigenvalue: number, vectors: readonly Vector[]) => ({
  ratio: inner(v, Hv) / eigenvalue,
  subspace: subspaceAlignment(v, vectors),
});
