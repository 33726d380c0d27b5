import { alignment } from "../spectrum/alignment.ts";
import { smoothedDensity, spectralQuadratures } from "../spectrum/density.ts";
import { type EigenPair, extremeEigenpairs } from "../spectrum/extremes.ts";
import type { SymmetricOperator } from "../spectrum/operator.ts";
import { frobeniusNorm, hutchPlusPlus } from "../spectrum/trace.ts";
import { addScaled, length, type Vector } from "../spectrum/vectors.ts";
import type { Layout } from "../nn/layout.ts";
import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import type { BatchQuotient, EmpiricalLoss } from "../train/streamed.ts";
import { layerCurvatures } from "./layers.ts";
import type { CurvatureResult, LayerCurvature } from "./result.ts";
import { assertDrawable, lossSlice, type SliceRequest } from "./slice.ts";

export interface CurvatureRequest {
  readonly top: number;
  readonly bottom: number;
  /** Largest residual ‖Hv − λv‖/|λ| of a converged pair. */
  readonly tolerance: number;
  /** Lanczos products for the outer eigenvalues, at most. */
  readonly maxProducts: number;
  readonly density: boolean;
  readonly trace: boolean;
  readonly layers: boolean;
  /** Random vectors for density and layer traces. */
  readonly probes: number;
  /** Lanczos steps per probe of the density. */
  readonly steps: number;
  readonly slices: readonly SliceRequest[];
  readonly seed: number;
}

/** Progress of one part of the measurement: products made, and the most it makes. */
export interface Progress {
  readonly part: "eigenvalues" | "check" | "trace" | "density" | "layers" | "slice";
  readonly done: number;
  readonly of: number;
}

export type MeasuredPart = Omit<CurvatureResult, "model" | "parameters" | "data" | "n" | "batches" | "bn" | "dtype">;

/** A loss with a point to measure it at, and what people call the two. */
export interface MeasuredProblem {
  readonly loss: EmpiricalLoss;
  readonly layout: Layout;
  readonly theta: Vector;
  /** The network. */
  readonly model: string;
  /** Where the examples come from. */
  readonly data: string;
  readonly bn: CurvatureResult["bn"];
}

/** What is measured where nothing is asked for: the largest eigenvalue. */
export const STANDARD: CurvatureRequest = {
  top: 1,
  bottom: 0,
  tolerance: 1e-3,
  maxProducts: 100,
  density: false,
  trace: false,
  layers: false,
  probes: 8,
  steps: 40,
  slices: [],
  seed: 1,
};

/**
 * Measures a problem, and frees its graphs. Where `stop` aborts after the eigenvalues are there, what was measured by then is the
 * result; before, its reason is thrown.
 */
export async function measureProblem(
  { loss, layout, theta, model, data, bn }: MeasuredProblem,
  request: Partial<CurvatureRequest>,
  listen?: (progress: Progress) => void,
  stop?: AbortSignal,
): Promise<CurvatureResult> {
  try {
    const measured = await measureLoss(loss, layout, theta, { ...STANDARD, ...request }, listen, stop);
    const { images: n, batches, dtype } = loss;
    return { model, parameters: layout.size, data, n, batches, bn, dtype, ...measured };
  } finally {
    await loss.release();
  }
}

/** Measures the loss at θ: outer eigenvalues, and what else was asked for. */
async function measureLoss(
  loss: EmpiricalLoss,
  layout: Layout,
  theta: Vector,
  request: CurvatureRequest,
  listen: (progress: Progress) => void = () => undefined,
  stop?: AbortSignal,
): Promise<MeasuredPart> {
  const begun = performance.now();
  const { top, bottom, seed } = request;
  for (const slice of request.slices) assertDrawable(slice, top);
  const at = await loss.lossAndGradient(theta);
  if (!Number.isFinite(at.loss) || !Number.isFinite(at.gradNorm))
    throw new ConfigError(
      `the loss is ${at.loss} and its gradient has norm ${at.gradNorm}: there is no curvature to measure`,
      { loss: at.loss, gradNorm: at.gradNorm },
      "do images, normalization and batch-norm mode belong to these weights?",
    );
  let products = 0;
  const counting = (part: Progress["part"], of: number): SymmetricOperator => {
    const hessian = loss.hessian(theta);
    let done = 0;
    if (!stop?.aborted) listen({ part, done, of });
    return {
      ...hessian,
      apply: async (v) => {
        stop?.throwIfAborted();
        const result = await hessian.apply(v);
        products++;
        listen({ part, done: ++done, of });
        return result;
      },
    };
  };

  const unlessStopped = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (stop?.aborted && error === stop.reason) return undefined;
      throw error;
    }
  };

  const maxProducts = Math.min(loss.size, request.maxProducts);
  const outer = await extremeEigenpairs(counting("eigenvalues", maxProducts), {
    ...request,
    maxProducts,
    random: rng(seed, "curvature", "lanczos"),
  });
  const pairs = [...outer.top, ...outer.bottom];
  const residuals = await measuredResiduals(counting("check", pairs.length), pairs);
  const samplingErrors: number[] = [];
  if (loss.batches > 1)
    for (const { vector } of outer.top) samplingErrors.push(weightedError(await loss.quotients(theta, vector)));

  const traceProducts = 3 * request.probes;
  const trace = request.trace
    ? await unlessStopped(
        hutchPlusPlus(counting("trace", traceProducts), {
          products: traceProducts,
          random: rng(seed, "curvature", "trace"),
        }),
      )
    : undefined;
  const frobenius = request.trace
    ? await unlessStopped(
        frobeniusNorm(counting("trace", request.probes), {
          products: request.probes,
          random: rng(seed, "curvature", "frobenius"),
        }),
      )
    : undefined;
  const quadratures = request.density
    ? await unlessStopped(
        spectralQuadratures(counting("density", request.probes * Math.min(request.steps, loss.size)), {
          steps: request.steps,
          probes: request.probes,
          random: rng(seed, "curvature", "density"),
        }),
      )
    : undefined;
  const density = quadratures && smoothedDensity(quadratures);
  const layers: LayerCurvature[] = [];
  if (request.layers)
    await unlessStopped(
      layerCurvatures(
        (of) => counting("layers", of),
        layout,
        request.probes,
        seed,
        (layer) => layers.push(layer),
      ),
    );
  const slices = [];
  for (const slice of stop?.aborted ? [] : request.slices)
    slices.push(
      await lossSlice(loss, layout, theta, { ...slice, seed }, { gradient: at.gradient, top: outer.top }, (done, of) =>
        listen({ part: "slice", done, of }),
      ),
    );

  return {
    loss: at.loss,
    gradNorm: at.gradNorm,
    eigenvalues: outer.top.map(({ eigenvalue }) => eigenvalue),
    residuals: residuals.slice(0, top),
    samplingErrors,
    gradientCosines: outer.top.map(({ vector }) => alignment(at.gradient, vector)),
    bottom: outer.bottom.map(({ eigenvalue }) => eigenvalue),
    bottomResiduals: residuals.slice(top, top + bottom),
    converged: outer.converged,
    ...(stop?.aborted ? { stopped: true as const } : {}),
    ...(trace ? { trace } : {}),
    ...(frobenius ? { frobenius } : {}),
    ...(density ? { density: { ...density, probes: request.probes, steps: request.steps } } : {}),
    ...(layers.length > 0 ? { layers } : {}),
    ...(slices.length > 0 ? { slices } : {}),
    products,
    seconds: (performance.now() - begun) / 1000,
  };
}

/** Standard error of the weighted mean Σwᵢxᵢ from the spread of the xᵢ: √(n/(n−1)·Σwᵢ²(xᵢ − mean)²). */
function weightedError(quotients: readonly BatchQuotient[]): number {
  const mean = quotients.reduce((sum, { value, weight }) => sum + weight * value, 0);
  const squares = quotients.reduce((sum, { value, weight }) => sum + (weight * (value - mean)) ** 2, 0);
  return Math.sqrt((quotients.length / (quotients.length - 1)) * squares);
}

/** ‖Hv − λv‖/|λ| of each pair by a product of its own, because the iteration's estimate trusts its own orthogonality. */
async function measuredResiduals(operator: SymmetricOperator, pairs: readonly EigenPair[]): Promise<number[]> {
  const images = await Promise.all(pairs.map(({ vector }) => operator.apply(vector)));
  return pairs.map(({ eigenvalue, vector }, i) => {
    const error = images[i]!;
    addScaled(error, -eigenvalue, vector);
    return length(error) / Math.max(Math.abs(eigenvalue), Number.MIN_VALUE);
  });
}
