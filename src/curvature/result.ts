import type { Density } from "../spectrum/density.ts";
import type { Estimate, TraceEstimate } from "../spectrum/trace.ts";
import type { BatchNormMode } from "../train/empirical-loss.ts";

/** One module's diagonal block of the Hessian. */
export interface LayerCurvature {
  /** As in PyTorch: layer1.0.conv1. */
  readonly name: string;
  readonly parameters: number;
  /** Largest signed eigenvalue of the block. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| in the block, measured. */
  readonly residual: number;
  /** Whether the residual is at most 0.02, which the iteration aims at. */
  readonly converged: boolean;
  readonly trace: Estimate;
  /** Rényi sharpness of the block's spectrum, of order 2. */
  readonly renyi?: Estimate;
}

/** The images measured on: drawn at random, or the first ones in the order of the examples. */
export type ImageOrder = "random" | "first";

/** Parts of a measurement, as it goes on. */
export type CurvaturePart =
  | "eigenvalues"
  | "copies"
  | "residuals"
  | "heldOut"
  | "trace"
  | "frobenius"
  | "density"
  | "layers"
  | "slices";

/** f along one direction (1-D) or in a plane (2-D) through θ. */
export interface LossSlice {
  /** g (unit gradient), v1, v2 (top eigenvectors) or random (filter-normalized): one or two. */
  readonly directions: readonly string[];
  /** Coordinates along each direction, of the direction's own length. */
  readonly coordinates: readonly number[];
  /** f at every point: [i] in 1-D; in 2-D row i·points + j is first coordinate j, second coordinate i. NaN where it was not computed. */
  readonly loss: readonly number[];
  /** Along unit directions: slope and curvature of f at θ, dᵀ∇f and dᵀHd, one each. */
  readonly slope: readonly number[];
  readonly curvature: readonly number[];
}

/** What `eigensam curvature` measures, and prints with --json. Only what was asked for is there. */
export interface CurvatureResult {
  readonly model: string;
  readonly parameters: number;
  readonly data: string;
  /** Images. */
  readonly n: number;
  /** Mini-batches. */
  readonly batches: number;
  readonly order: ImageOrder;
  /** Of the images that were drawn, and of every random vector. */
  readonly seed: number;
  /** Null where the network has no batch norm. */
  readonly bn: BatchNormMode | null;
  readonly dtype: "f32" | "f64";
  readonly loss: number;
  readonly gradNorm: number;
  /** Largest first. */
  readonly eigenvalues: readonly number[];
  /** ‖Hv − λv‖/|λ| of each, measured; empty where it was stopped before. */
  readonly residuals: readonly number[];
  /**
   * Each by cross-fitting: eigenvectors of one half of the mini-batches, values vᵀHv on the other, both ways. Mean, and standard error over
   * mini-batches; empty with one mini-batch.
   */
  readonly heldOut: readonly Estimate[];
  /** |cos(∇f, vᵢ)| of each. */
  readonly gradientCosines: readonly number[];
  /** Smallest first. */
  readonly bottom: readonly number[];
  readonly bottomResiduals: readonly number[];
  /** Whether every residual is measured and at most the tolerance. */
  readonly converged: boolean;
  /** Whether the search for copies of multiple eigenvalues ended with the finding that none remains; there where it was made. */
  readonly complete?: boolean;
  /** There where the measurement was stopped: parts that were asked for and are not here, or not whole. */
  readonly missing?: readonly CurvaturePart[];
  readonly trace?: TraceEstimate;
  readonly frobenius?: TraceEstimate;
  readonly density?: Density & { readonly probes: number; readonly steps: number };
  /** Rényi sharpness of the whole spectrum, of order 2, from the density's quadratures. */
  readonly renyi?: Estimate;
  readonly layers?: readonly LayerCurvature[];
  readonly slices?: readonly LossSlice[];
  /** Hessian-vector products over all images. */
  readonly products: number;
  readonly seconds: number;
}
