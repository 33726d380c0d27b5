import { alignment } from "../spectrum/alignment.ts";
import { combine, ritz } from "../spectrum/lanczos.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import { type Estimate, krylovSpace, powerIteration } from "../optim/eigenvector.ts";
import type { Loss } from "../optim/point.ts";
import { cosine } from "../optim/vector.ts";
import type { Batch } from "../data/dataset.ts";
import { compile, type CompileOptions } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import { batchSpec, onBatch, type Task, type TracedBatch } from "./task.ts";

export interface RefreshMetrics {
  /** How the estimate was made. */
  readonly estimator: Estimate["estimator"];
  /** The top eigenvalue: the Rayleigh quotient of the vector that was multiplied last, or the largest Ritz value. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| of the same vector. */
  readonly residual: number;
  /** vᵀHv of the incoming v, on this batch: over `eigenvalue`, how stale it was. */
  readonly rayleigh: number;
  /** |cos(g, v)| with the new v. */
  readonly cosGradV: number;
}

/** What an estimate reads: the state, and one mini-batch. */
export interface RefreshInputs extends Batch {
  readonly theta: Float32Array;
  readonly buffers: Float32Array;
  readonly v: Float32Array;
}

/** An estimate of the top eigenvector by Hessian-vector products on one mini-batch, as one graph. */
export interface Estimator {
  estimate(inputs: RefreshInputs): Promise<RefreshMetrics & { readonly v: Float32Array }>;
  release(): Promise<void>;
}

export interface EstimatorOptions {
  /** Batch norm by the mini-batch, or by running statistics, which are read and never changed. */
  readonly hessianBn: "batch" | "running";
  readonly compile: CompileOptions;
}

/** Compiles an estimator: `products` Hessian-vector products at one point, which share one forward pass and one gradient. */
export async function compileEstimator(
  task: Task,
  model: Model,
  { estimator, products }: Estimate,
  { hessianBn, compile: options }: EstimatorOptions,
): Promise<Estimator> {
  const vector = { shape: [vectorLength(model.parameters)] };
  const spec = { theta: vector, v: vector, ...batchSpec(task, model) };
  const compiled = (build: (f: Loss, theta: Tensor, v: Tensor) => Readonly<Record<string, Tensor>>) =>
    compile(
      (inputs) => {
        const { theta, v } = inputs as Record<"theta" | "v", Tensor>;
        const { f } = onBatch(task, model, inputs as unknown as TracedBatch, { training: hessianBn === "batch" });
        return build(f, theta, v);
      },
      spec,
      options,
    );
  return estimators[estimator](compiled, products);
}

type Compile = (
  build: (f: Loss, theta: Tensor, v: Tensor) => Readonly<Record<string, Tensor>>,
) => ReturnType<typeof compile>;

const estimators: Readonly<Record<Estimate["estimator"], (compiled: Compile, products: number) => Promise<Estimator>>> =
  {
    power: async (compiled, products) => {
      const graph = await compiled((f, theta, v) => {
        const { g, v: nextV, eigenvalue, residual, first } = powerIteration(f, theta, v, products);
        return { nextV, eigenvalue, residual, rayleigh: first, cosGradV: cosine(g, nextV) };
      });
      return {
        estimate: async (inputs) => {
          const { nextV, ...numbers } = await graph.run({ ...inputs }, { reuse: true });
          const at = (name: string) => numbers[name]![0]!;
          return {
            v: nextV as Float32Array,
            estimator: "power",
            eigenvalue: at("eigenvalue"),
            residual: at("residual"),
            rayleigh: at("rayleigh"),
            cosGradV: at("cosGradV"),
          };
        },
        release: () => graph.release(),
      };
    },

    lanczos: async (compiled, products) => {
      const graph = await compiled((f, theta, v) => ({ ...krylovSpace(f, theta, v, products) }));
      return {
        estimate: async (inputs) => {
          const { basis, alpha, beta, g } = await graph.run({ ...inputs }, { reuse: true });
          const d = inputs.v.length;
          const rows = Array.from({ length: products }, (_, i) => (basis as Float32Array).subarray(i * d, (i + 1) * d));
          const known = { estimator: "lanczos" as const, rayleigh: alpha![0]! };
          // The caller says which step it was; there is nothing to diagonalize.
          if (![...alpha!, ...beta!].every(Number.isFinite))
            return { ...known, v: inputs.v, eigenvalue: NaN, residual: NaN, cosGradV: NaN };
          const used = invariantLength(beta!);
          const small = ritz({ alpha: [...alpha!].slice(0, used), beta: [...beta!].slice(0, used) });
          const eigenvalue = small.values.at(-1)!;
          const v = combine(rows.slice(0, used), small.vectors.at(-1)!) as Float32Array;
          return {
            ...known,
            v,
            eigenvalue,
            residual: small.bounds.at(-1)! / Math.abs(eigenvalue),
            cosGradV: alignment(g as Float32Array, v),
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
