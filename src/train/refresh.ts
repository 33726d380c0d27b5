import { alignment } from "../spectrum/alignment.ts";
import { combine, ritz } from "../spectrum/lanczos.ts";
import type { Tensor } from "../graph/tensor.ts";
import { crossEntropy } from "../nn/functions.ts";
import { forward, type Model, vectorLength } from "../nn/scope.ts";
import { krylovSpace, powerIteration, type Solver } from "../optim/eigenvector.ts";
import { cosine } from "../optim/steps.ts";
import { compile } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import type { TrainConfig } from "./config.ts";
import { batchSpec, compileOptions } from "./graphs.ts";
import { type ImageFormat, normalized } from "./problem.ts";

export interface RefreshMetrics {
  /** Estimate of the top eigenvalue: the Rayleigh quotient of the vector that was multiplied last, or the largest Ritz value. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| of the same vector. */
  readonly residual: number;
  /** vᵀHv of the v that came in, on this batch: over `eigenvalue`, how far it had gone stale. */
  readonly rayleigh: number;
  /** |cos(g, v)| with the new v. */
  readonly cosGradV: number;
}

/** What an estimate reads: the state, and one mini-batch. */
export interface RefreshInputs {
  readonly theta: Float32Array;
  readonly buffers: Float32Array;
  readonly v: Float32Array;
  readonly x: TypedArray;
  readonly y: Int32Array;
}

/** An estimate of the top eigenvector by Hessian-vector products on one mini-batch, as one graph. */
export interface Estimator {
  estimate(inputs: RefreshInputs): Promise<RefreshMetrics & { readonly v: Float32Array }>;
  release(): Promise<void>;
}

/** `products` products at one point; running statistics are read or left alone, never changed. */
export async function compileEstimator(
  config: TrainConfig,
  model: Model,
  format: ImageFormat,
  solver: Pick<Solver, "estimator">,
  products: number,
): Promise<Estimator> {
  const lossOf = ({ buffers, x, y }: Readonly<Record<"buffers" | "x" | "y", Tensor>>) => {
    const images = normalized(x, format);
    const training = config.method.hessianBn === "batch";
    return (theta: Tensor) =>
      crossEntropy(forward(model, images, { theta, buffers, training }).logits, y, {
        labelSmoothing: config.train.labelSmoothing,
      });
  };
  const vector = { shape: [vectorLength(model.parameters)] };
  const spec = { theta: vector, v: vector, ...batchSpec(model, format) };
  // One Lanczos step alone has v itself for its result; a power step moves.
  const kind = products === 1 ? "power" : solver.estimator;
  return estimators[kind](spec, lossOf, products, compileOptions(config));
}

type LossOf = (inputs: Readonly<Record<"buffers" | "x" | "y", Tensor>>) => (theta: Tensor) => Tensor;
type Compiled = (
  spec: Parameters<typeof compile>[1],
  lossOf: LossOf,
  products: number,
  options: Parameters<typeof compile>[2],
) => Promise<Estimator>;

const estimators: Readonly<Record<Solver["estimator"], Compiled>> = {
  power: async (spec, lossOf, products, options) => {
    const graph = await compile(
      (inputs) => {
        const { theta, v } = inputs as Record<string, Tensor>;
        const f = lossOf(inputs as never);
        const power = powerIteration(f, theta!, v!, products);
        const { eigenvalue, residual, first } = power;
        return { nextV: power.v, eigenvalue, residual, rayleigh: first, cosGradV: cosine(power.g, power.v) };
      },
      spec,
      options,
    );
    return {
      estimate: async (inputs) => {
        const { nextV, ...numbers } = await graph.run({ ...inputs }, { reuse: true });
        const at = (name: keyof typeof numbers) => numbers[name]![0]!;
        return {
          v: nextV as Float32Array,
          eigenvalue: at("eigenvalue"),
          residual: at("residual"),
          rayleigh: at("rayleigh"),
          cosGradV: at("cosGradV"),
        };
      },
      release: () => graph.release(),
    };
  },

  lanczos: async (spec, lossOf, products, options) => {
    const graph = await compile(
      (inputs) => {
        const { theta, v } = inputs as Record<string, Tensor>;
        return { ...krylovSpace(lossOf(inputs as never), theta!, v!, products) };
      },
      spec,
      options,
    );
    return {
      estimate: async (inputs) => {
        const { basis, alpha, beta, g } = await graph.run({ ...inputs }, { reuse: true });
        const d = inputs.v.length;
        const rows = Array.from({ length: products }, (_, i) => (basis as Float32Array).subarray(i * d, (i + 1) * d));
        // The caller says which step it was; there is nothing to diagonalize.
        if (![...alpha!, ...beta!].every(Number.isFinite))
          return { v: inputs.v, eigenvalue: NaN, residual: NaN, rayleigh: alpha![0]!, cosGradV: NaN };
        const used = invariantLength(beta!);
        const small = ritz({ alpha: [...alpha!].slice(0, used), beta: [...beta!].slice(0, used) });
        const eigenvalue = small.values.at(-1)!;
        const v = combine(rows.slice(0, used), small.vectors.at(-1)!) as Float32Array;
        return {
          v,
          eigenvalue,
          residual: small.bounds.at(-1)! / Math.abs(eigenvalue),
          rayleigh: alpha![0]!,
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
