import { alignment } from "../spectrum/alignment.ts";
import { combine, ritz } from "../spectrum/lanczos.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import { type Estimate, krylovSpace, powerIteration } from "../optim/eigenvector.ts";
import type { Loss } from "../optim/point.ts";
import { cosine } from "../optim/vector.ts";
import type { Batch } from "../data/dataset.ts";
import { extremeEigenpairs } from "../spectrum/extremes.ts";
import { inner, warmStart } from "../spectrum/vectors.ts";
import { rng } from "../util/rng.ts";
import type { CompileOptions } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import { ConfigError } from "../util/errors.ts";
import { empiricalLoss, type LossBatch } from "./empirical-loss.ts";
import type { Draws } from "./draws.ts";
import type { LossGraph, LossGraphs } from "./loss-graphs.ts";
import type { Micro } from "./micro.ts";
import type { Task } from "./task.ts";

interface Found {
  /** How the estimate was made. */
  readonly estimator: Estimate["estimator"];
  /** What the solver takes for λ₁: the Rayleigh quotient of the vector that was multiplied last, or the largest Ritz value. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| of the same vector. */
  readonly residual: number;
  /** vᵀHv of the incoming v, on this batch: over `eigenvalue`, how stale it was. */
  readonly rayleigh: number;
  /** |cos(g, v)| with the new v. */
  readonly cosGradV: number;
  /** Hessian-vector products on a mini-batch that it took. */
  readonly products: number;
}

/** The numbers of an estimate, how it is judged, and what follows from it. */
export interface RefreshMetrics extends Found {
  /** Whether its sign and its residual pass (`isGood` in optim/eigenvector.ts). */
  readonly good: boolean;
  /** Whether steps perturb along what it found: where it is good, and always with compat = "official". */
  readonly used: boolean;
}

/** What an estimate reads: the state, and one mini-batch. */
export interface RefreshInputs extends Batch {
  readonly theta: Float32Array;
  readonly buffers: Float32Array;
  readonly v: Float32Array;
}

/** An estimate of the top eigenvector by Hessian-vector products on one mini-batch, as one graph. */
export interface Estimator {
  /** `draws` are the random numbers of the step that is due: v is estimated of the loss that it descends. The oracle drops nothing. */
  estimate(inputs: RefreshInputs, draws?: Draws): Promise<Found & { readonly v: Float32Array }>;
  release(): Promise<void>;
}

export interface EstimatorOptions {
  /** Batch norm by the mini-batch, or by running statistics, which are read and never changed. */
  readonly hessianBn: "batch" | "running";
  readonly compile: CompileOptions;
  /** Decides where an estimate starts that has nothing to start from. */
  readonly seed: number;
  /** How a mini-batch is computed. */
  readonly micro: Micro;
  /** The mini-batches of the oracle, in their parts. */
  readonly fixed?: (() => readonly LossBatch[]) | undefined;
}

/** Compiles an estimator: `products` Hessian-vector products at one point, which share one forward pass and one gradient. */
export async function compileEstimator(
  graphs: LossGraphs,
  task: Task,
  model: Model,
  { estimator, products }: Estimate,
  settings: EstimatorOptions,
): Promise<Estimator> {
  if (estimator === "oracle") return oracle(task, model, products, settings);
  const vector = { shape: [vectorLength(model.parameters)] };
  const compiled: Compile = (build) =>
    graphs.compile(
      ({ theta, v }, { whole }) => build(whole, theta!, v!),
      { theta: vector, v: vector },
      { training: settings.hessianBn === "batch", kind: { name: "an estimate of v", shrinks: false } },
    );
  return estimators[estimator](compiled, products);
}

type Compile = (build: (f: Loss, theta: Tensor, v: Tensor) => Readonly<Record<string, Tensor>>) => Promise<LossGraph>;

const estimators: Readonly<
  Record<Exclude<Estimate["estimator"], "oracle">, (compiled: Compile, products: number) => Promise<Estimator>>
> = {
  power: async (compiled, products) => {
    const graph = await compiled((f, theta, v) => {
      const { g, v: nextV, eigenvalue, residual, first } = powerIteration(f, theta, v, products);
      return { nextV, eigenvalue, residual, rayleigh: first, cosGradV: cosine(g, nextV) };
    });
    return {
      estimate: async (inputs, draws) => {
        const { nextV, ...numbers } = await graph.run({ ...inputs }, draws);
        const at = (name: string) => numbers[name]![0]!;
        return {
          v: nextV as Float32Array,
          estimator: "power",
          eigenvalue: at("eigenvalue"),
          residual: at("residual"),
          rayleigh: at("rayleigh"),
          cosGradV: at("cosGradV"),
          products,
        };
      },
      release: () => graph.release(),
    };
  },

  lanczos: async (compiled, products) => {
    const graph = await compiled((f, theta, v) => ({ ...krylovSpace(f, theta, v, products) }));
    return {
      estimate: async (inputs, draws) => {
        const { basis, alpha, beta, g } = await graph.run({ ...inputs }, draws);
        const d = inputs.v.length;
        const rows = Array.from({ length: products }, (_, i) => (basis as Float32Array).subarray(i * d, (i + 1) * d));
        const estimator = "lanczos";
        const rayleigh = alpha![0]!;
        // The caller says which step it was; there is nothing to diagonalize.
        if (![...alpha!, ...beta!].every(Number.isFinite))
          return { v: inputs.v, estimator, eigenvalue: NaN, residual: NaN, rayleigh, cosGradV: NaN, products };
        const used = invariantLength(beta!);
        const small = ritz({ alpha: [...alpha!].slice(0, used), beta: [...beta!].slice(0, used) });
        const eigenvalue = small.values.at(-1)!;
        const v = combine(rows.slice(0, used), small.vectors.at(-1)!) as Float32Array;
        return {
          v,
          estimator,
          eigenvalue,
          residual: small.bounds.at(-1)! / Math.abs(eigenvalue),
          rayleigh,
          cosGradV: alignment(g as Float32Array, v),
          products,
        };
      },
      release: () => graph.release(),
    };
  },
};

/** Steps until the space was exhausted: what follows a β of zero is noise. */
function invariantLength(beta: TypedArray): number {
  const largest = Math.max(...beta);
  const at = [...beta].findIndex((b) => b <= 1e-6 * largest);
  return at < 0 ? beta.length : at + 1;
}

/** The residual at which the oracle stops. */
const ENOUGH = 0.02;

/** Lanczos from the last v on the mean Hessian of fixed mini-batches. */
async function oracle(
  task: Task,
  model: Model,
  products: number,
  { hessianBn: bn, compile: { device = "cpu", threads = 0 }, fixed, micro, seed }: EstimatorOptions,
): Promise<Estimator> {
  if (fixed === undefined)
    throw new ConfigError(
      "method.solver is oracle, which measures mini-batches of the training examples, and there are none in memory",
      { solver: "oracle" },
      "choose another solver, such as lanczos, or train on examples in memory",
    );
  const buffers = new Float32Array(vectorLength(model.buffers));
  const loss = empiricalLoss({ task, buffers, batches: fixed(), bn, dtype: "f32", device, threads });
  return {
    estimate: async (inputs) => {
      buffers.set(inputs.buffers);
      const { gradient } = await loss.lossAndGradient(inputs.theta);
      const H = loss.hessian(inputs.theta);
      const random = rng(seed, "oracle");
      const { top, products: made } = await extremeEigenpairs(H, {
        ...{ top: 1, bottom: 0, tolerance: ENOUGH, maxProducts: products, random },
        start: warmStart(inputs.v, random),
      });
      const { eigenvalue, residual, vector } = top[0]!;
      return {
        v: vector as Float32Array,
        estimator: "oracle",
        eigenvalue,
        residual,
        rayleigh: inner(inputs.v, await H.apply(inputs.v)),
        cosGradV: alignment(gradient, vector),
        products: ((made + 1) * loss.batches) / micro.count,
      };
    },
    release: () => loss.release(),
  };
}
