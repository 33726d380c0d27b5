import { streamedLoss } from "../train/streamed.ts";
import type { FloatDType, Tensor } from "../graph/tensor.ts";
import type { Device } from "../runtime/device.ts";
import type { TypedArray } from "../runtime/session.ts";
import { type Density, smoothedDensity, spectralQuadratures } from "../spectrum/density.ts";
import type { SymmetricOperator } from "../spectrum/operator.ts";
import { outerEigenpairs } from "../spectrum/outer.ts";
import type { Vector } from "../spectrum/vectors.ts";
import { InputError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import type { Shape } from "../util/shape.ts";

/** An array of a mini-batch, with its shape; the first axis counts the examples. */
export interface BatchArray {
  readonly data: TypedArray;
  readonly shape: Shape;
}

/** A function of θ on mini-batches, and the point to measure it at. */
export interface HessianOptions<K extends string> {
  /** f on one mini-batch: a scalar tensor from θ [d] and the arrays of the batch. */
  f(theta: Tensor, batch: { readonly [N in K]: Tensor }): Tensor;
  /** The point, [d]; its type decides the precision. */
  readonly theta: Vector;
  /** Mini-batches, each with arrays of the same names; a short one counts for its examples alone. */
  readonly batches: readonly { readonly [N in K]: BatchArray }[];
  readonly device?: Device;
  /** Threads of ONNX Runtime; left out, one per core. */
  readonly threads?: number;
}

/** The Hessian of a function at a point, by its products with vectors. */
export interface Hessian extends SymmetricOperator {
  /** Length of θ. */
  readonly dim: number;
  readonly dtype: FloatDType;
  /** H·v as a new vector; products that are asked for together share their passes over the data. */
  apply(v: Vector): Promise<Vector>;
  /** f, ∇f and ‖∇f‖ at the point. */
  gradient(): Promise<{ readonly loss: number; readonly gradient: Vector; readonly gradNorm: number }>;
  /** Frees the compiled graphs. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The Hessian [d, d] of any differentiable function, averaged over mini-batches: f(θ) = Σ_b (n_b/n)·f_b(θ).
 * θ is copied; the arrays of the batches are read in every product, so leave them alone. All first axes of a batch
 * have its length n_b. Graphs are compiled at the first product and freed by `release` or `await using`.
 *
 * @throws InputError where there is no batch
 * @throws DerivativeError, at the first product, where f gives no scalar
 * @example
 * ```ts
 * const hessian = await hessianOf({
 *   f: (theta, { x }) => mean(mul(mul(x, theta), mul(x, theta))),
 *   theta: Float64Array.of(1, 1),
 *   batches: [{ x: { data: Float64Array.of(1, 2), shape: [1, 2] } }],
 * });
 * console.log(await hessian.apply(Float64Array.of(1, 1))); // [1, 4]
 * await hessian.release();
 * ```
 */
export async function hessianOf<K extends string>(options: HessianOptions<K>): Promise<Hessian> {
  const { f, theta, batches, device = "cpu", threads = 0 } = options;
  const first = batches[0];
  if (first === undefined) throw new InputError("hessianOf: there is no batch", {}, "give at least one");
  const names = Object.keys(first) as K[];
  const rowsOf = (batch: { readonly [N in K]: BatchArray }) => (names[0] ? (batch[names[0]].shape[0] ?? 1) : 1);
  const loss = streamedLoss({
    size: theta.length,
    dtype: theta instanceof Float64Array ? "f64" : "f32",
    device,
    threads,
    batches: batches.map((batch) => ({
      rows: rowsOf(batch),
      arrays: Object.fromEntries(names.map((name) => [name, batch[name].data])),
    })),
    spec: (rows) => {
      const like = batches.find((batch) => rowsOf(batch) === rows) ?? first;
      return Object.fromEntries(
        names.map((name) => [name, { shape: like[name].shape, dtype: dtypeOf(like[name].data) }]),
      );
    },
    loss: (inputs) => (point) => f(point, inputs as { readonly [N in K]: Tensor }),
  });
  const point = theta.slice();
  return {
    ...loss.hessian(point),
    gradient: () => loss.lossAndGradient(point),
    release: loss.release,
    [Symbol.asyncDispose]: loss.release,
  };
}

const dtypeOf = (data: TypedArray) =>
  data instanceof Float64Array ? "f64" : data instanceof Int32Array ? "i32" : data instanceof Uint8Array ? "u8" : "f32";

/** Which eigenpairs are wanted, and how well. */
export interface EigenpairOptions {
  /** How many of the largest eigenvalues (1). */
  readonly top?: number;
  /** How many of the smallest (0). */
  readonly bottom?: number;
  /** The residual ‖Hv − λv‖/|λ| that every pair may have (1e-3). */
  readonly tolerance?: number;
  /** Hessian-vector products at most (100); never more than the dimension. The search for copies has as many again. */
  readonly maxProducts?: number;
  /** Whether copies of a multiple eigenvalue are looked for (true), where two or more of one end are wanted. */
  readonly copies?: boolean;
  /** Draws the first vector (1). */
  readonly seed?: number;
}

/** Outer eigenpairs, and how good they are. */
export interface Eigenpairs {
  /** The largest, from the largest down; then the smallest, from the smallest up. */
  readonly values: readonly number[];
  /** Unit vectors in the same order. */
  readonly vectors: readonly Vector[];
  /** ‖Hv − λv‖/|λ| of each, measured by a product of its own. */
  readonly residuals: readonly number[];
  /** Whether every residual is at most the tolerance. */
  readonly converged: boolean;
  /** Hessian-vector products that were made. */
  readonly products: number;
}

/**
 * The outer eigenpairs of a symmetric operator [d, d] by Lanczos with full reorthogonalization (Paige 1972), restarted
 * orthogonal to what was found until no copy of a multiple eigenvalue remains. It keeps one vector [d] per product; the vectors
 * returned are yours. `seed` draws the first ones.
 *
 * @throws InputError where a product is not finite
 * @example
 * ```ts
 * const diagonal = [5, 3, 1, -2];
 * const operator: SymmetricOperator = {
 *   dim: 4,
 *   dtype: "f64",
 *   apply: async (v) => Float64Array.from(v, (x, i) => x * (diagonal[i] ?? 0)),
 * };
 * const { values, converged } = await eigenpairs(operator, { top: 2, bottom: 1 });
 * console.log(values, converged); // [5, 3, -2] true
 * ```
 */
export async function eigenpairs(operator: SymmetricOperator, options: EigenpairOptions = {}): Promise<Eigenpairs> {
  const { top = 1, bottom = 0, tolerance = 1e-3, copies = true, seed = 1 } = options;
  const maxProducts = Math.min(options.maxProducts ?? 100, operator.dim);
  let products = 0;
  const counted: SymmetricOperator = {
    dim: operator.dim,
    dtype: operator.dtype,
    apply: (v) => {
      products++;
      return operator.apply(v);
    },
  };
  const found = await outerEigenpairs({ top, bottom, tolerance, maxProducts, copies, seed }, (_part, _most, work) =>
    work(counted),
  );
  const pairs = [...found.top, ...found.bottom];
  return {
    values: pairs.map(({ eigenvalue }) => eigenvalue),
    vectors: pairs.map(({ vector }) => vector),
    residuals: pairs.map(({ residual }) => residual),
    converged: pairs.every(({ residual }) => residual <= tolerance),
    products,
  };
}

/** How a spectral density is estimated. */
export interface DensityOptions {
  /** Random vectors (8). */
  readonly probes?: number;
  /** Lanczos steps per vector (40); never more than the dimension. */
  readonly steps?: number;
  /** Draws the vectors (1). */
  readonly seed?: number;
}

/**
 * The density of a symmetric operator's eigenvalues by stochastic Lanczos quadrature (Ghorbani, Krishnan & Xiao 2019):
 * `grid` in units of the eigenvalues, and the density on it, which integrates to 1. It makes probes × steps products.
 *
 * @throws InputError where a product is not finite
 * @example
 * ```ts
 * const diagonal = [5, 3, 1, -2];
 * const operator: SymmetricOperator = {
 *   dim: 4,
 *   dtype: "f64",
 *   apply: async (v) => Float64Array.from(v, (x, i) => x * (diagonal[i] ?? 0)),
 * };
 * const { grid, density } = await spectralDensity(operator, { probes: 4, steps: 4, seed: 1 });
 * console.log(grid.length === density.length); // true
 * ```
 */
export async function spectralDensity(operator: SymmetricOperator, options: DensityOptions = {}): Promise<Density> {
  const { probes = 8, steps = 40, seed = 1 } = options;
  const random = rng(seed, "curvature", "density");
  return smoothedDensity(await spectralQuadratures(operator, { probes, steps: Math.min(steps, operator.dim), random }));
}
