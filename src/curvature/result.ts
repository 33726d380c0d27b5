import type { Density } from "../spectrum/density.ts";
import type { TraceEstimate } from "../spectrum/trace.ts";
import type { BatchNormMode } from "../train/empirical-loss.ts";

/** One module's diagonal block of the Hessian. */
export interface LayerCurvature {
  /** As in PyTorch: layer1.0.conv1. */
  readonly name: string;
  readonly parameters: number;
  /** Largest signed eigenvalue of the block. */
  readonly eigenvalue: number;
  readonly residual: number;
  readonly trace: { readonly mean: number; readonly stderr: number };
}

/** f along one direction (1-D) or in a plane (2-D) through θ. */
export interface LossSlice {
  /** g (unit gradient), v1, v2 (top eigenvectors) or random (filter-normalized): one or two. */
  readonly directions: readonly string[];
  /** Coordinates along each direction, of the direction's own length. */
  readonly coordinates: readonly number[];
  /** f at every point: [i] in 1-D; in 2-D row i·points + j is first coordinate j, second coordinate i. */
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
  /** Null where the network has no batch norm. */
  readonly bn: BatchNormMode | null;
  readonly dtype: "f32" | "f64";
  readonly loss: number;
  readonly gradNorm: number;
  /** Largest first. */
  readonly eigenvalues: readonly number[];
  /** ‖Hv − λv‖/|λ| of each, measured. */
  readonly residuals: readonly number[];
  /** Standard error of each over the mini-batches; empty with one mini-batch. */
  readonly samplingErrors: readonly number[];
  /** |cos(∇f, vᵢ)| of each. */
  readonly gradientCosines: readonly number[];
  /** Smallest first. */
  readonly bottom: readonly number[];
  readonly bottomResiduals: readonly number[];
  /** Whether every residual is below the tolerance. */
  readonly converged: boolean;
  /** There where the measurement was stopped: what was asked for and is not here was not measured, and of layers the first ones. */
  readonly stopped?: true;
  readonly trace?: TraceEstimate;
  readonly frobenius?: TraceEstimate;
  readonly density?: Density & { readonly probes: number; readonly steps: number };
  readonly layers?: readonly LayerCurvature[];
  readonly slices?: readonly LossSlice[];
  /** Hessian-vector products over all images. */
  readonly products: number;
  readonly seconds: number;
}
