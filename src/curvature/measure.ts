import { alignment } from "../spectrum/alignment.ts";
import { type Quadrature, smoothedDensity, spectralQuadratures } from "../spectrum/density.ts";
import { renyiSharpness } from "../spectrum/renyi.ts";
import { frobeniusNorm, hutchPlusPlus } from "../spectrum/trace.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { Layout } from "../nn/layout.ts";
import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import type { EmpiricalLoss } from "../train/streamed.ts";
import { layerCurvatures } from "./layers.ts";
import { type Meter, meterOf, type Progress } from "./meter.ts";
import { heldOutValues, outerEigenvalues, type OuterRequest } from "./outer.ts";
import type { CurvatureResult, LossSlice } from "./result.ts";
import { assertDrawable, lossSlice, type SliceRequest } from "./slice.ts";

export type { Progress } from "./meter.ts";

export interface CurvatureRequest extends OuterRequest {
  readonly density: boolean;
  readonly trace: boolean;
  readonly layers: boolean;
  /** Rényi sharpness of each layer's spectrum, by as many probes and steps as the density. */
  readonly renyi: boolean;
  /** Random vectors for density, layer traces and layer spectra. */
  readonly probes: number;
  /** Lanczos steps per probe of a density. */
  readonly steps: number;
  readonly slices: readonly SliceRequest[];
}

export type MeasuredPart = Omit<
  CurvatureResult,
  "model" | "parameters" | "data" | "n" | "batches" | "order" | "seed" | "bn" | "dtype"
>;

/** A loss with a point to measure it at, and what people call the two. */
export interface MeasuredProblem {
  readonly loss: EmpiricalLoss;
  readonly layout: Layout;
  readonly theta: Vector;
  /** The network. */
  readonly model: string;
  /** Where the examples come from. */
  readonly data: string;
  readonly order: CurvatureResult["order"];
  readonly bn: CurvatureResult["bn"];
}

/** What is measured where nothing is asked for: the largest eigenvalue. */
export const STANDARD: CurvatureRequest = {
  top: 1,
  bottom: 0,
  tolerance: 1e-3,
  maxProducts: 100,
  copies: true,
  crossFit: true,
  density: false,
  trace: false,
  layers: false,
  renyi: false,
  probes: 8,
  steps: 40,
  slices: [],
  seed: 1,
};

/**
 * Measures a problem, and frees its graphs. Where `stop` aborts, what was measured by then is the result, and `missing` in it names the
 * rest; before loss and gradient are there, its reason is thrown.
 */
export async function measureProblem(
  { loss, layout, theta, model, data, order, bn }: MeasuredProblem,
  request: Partial<CurvatureRequest>,
  listen: (progress: Progress) => void = () => undefined,
  stop?: AbortSignal,
): Promise<CurvatureResult> {
  const whole = { ...STANDARD, ...request };
  try {
    const measured = await measureLoss(meterOf(loss, theta, listen, stop), layout, whole);
    const { images: n, batches, dtype } = loss;
    return { model, parameters: layout.size, data, n, batches, order, seed: whole.seed, bn, dtype, ...measured };
  } finally {
    await loss.release();
  }
}

/** Measures the loss at θ: outer eigenvalues, and what else was asked for. */
async function measureLoss(meter: Meter, layout: Layout, request: CurvatureRequest): Promise<MeasuredPart> {
  const begun = performance.now();
  const { loss, theta, stop } = meter;
  for (const slice of request.slices) assertDrawable(slice, request.top);
  stop?.throwIfAborted();
  const at = await loss.lossAndGradient(theta);
  if (!Number.isFinite(at.loss) || !Number.isFinite(at.gradNorm))
    throw new ConfigError(
      `the loss is ${at.loss} and its gradient has norm ${at.gradNorm}: there is no curvature to measure`,
      { loss: at.loss, gradNorm: at.gradNorm },
      "do images, normalization and batch-norm mode belong to these weights?",
    );
  const { top, bottom, measured, complete } = await outerEigenvalues(meter, request);
  const residuals = measured ? [...top, ...bottom].map(({ residual }) => residual) : [];
  const heldOut = await heldOutValues(meter, request);
  const sums = request.trace ? await traces(meter, request) : {};
  const density = request.density ? await densityOf(meter, request) : {};
  const layers =
    request.layers || request.renyi
      ? await layerCurvatures(meter, layout, {
          ...request,
          renyi: request.renyi ? { probes: request.probes, steps: request.steps } : undefined,
        })
      : [];
  const slices: LossSlice[] = [];
  for (const slice of request.slices) {
    const known = { gradient: at.gradient, top };
    const drawn = await meter.unlessStopped("slices", () =>
      lossSlice(meter, layout, { ...slice, seed: request.seed }, known),
    );
    if (drawn) slices.push(drawn);
  }
  const missing = meter.missing();
  return {
    loss: at.loss,
    gradNorm: at.gradNorm,
    eigenvalues: top.map(({ eigenvalue }) => eigenvalue),
    residuals: residuals.slice(0, top.length),
    heldOut: heldOut ?? [],
    gradientCosines: top.map(({ vector }) => alignment(at.gradient, vector)),
    bottom: bottom.map(({ eigenvalue }) => eigenvalue),
    bottomResiduals: residuals.slice(top.length),
    converged: measured && residuals.every((residual) => residual <= request.tolerance),
    ...(complete === undefined ? {} : { complete }),
    ...(missing.length > 0 ? { missing } : {}),
    ...sums,
    ...density,
    ...(layers.length > 0 ? { layers } : {}),
    ...(slices.length > 0 ? { slices } : {}),
    products: Math.round(meter.products()),
    seconds: (performance.now() - begun) / 1000,
  };
}

async function traces(
  meter: Meter,
  { probes, seed }: CurvatureRequest,
): Promise<Pick<MeasuredPart, "trace" | "frobenius">> {
  const products = 3 * probes;
  const trace = await meter.unlessStopped("trace", () =>
    hutchPlusPlus(meter.begin("trace", products)(), { products, random: rng(seed, "curvature", "trace") }),
  );
  const frobenius = await meter.unlessStopped("frobenius", () =>
    frobeniusNorm(meter.begin("trace", probes)(), { products: probes, random: rng(seed, "curvature", "frobenius") }),
  );
  return { ...(trace ? { trace } : {}), ...(frobenius ? { frobenius } : {}) };
}

/** The density by the probes that are done: all that were asked for, but where it is stopped. */
async function densityOf(
  meter: Meter,
  { probes, steps, seed }: CurvatureRequest,
): Promise<Pick<MeasuredPart, "density" | "renyi">> {
  const { size } = meter.loss;
  const quadratures: Quadrature[] = [];
  await meter.unlessStopped("density", () =>
    spectralQuadratures(meter.begin("density", probes * Math.min(steps, size))(), {
      steps,
      probes,
      random: rng(seed, "curvature", "density"),
      onQuadrature: (quadrature) => quadratures.push(quadrature),
    }),
  );
  if (quadratures.length === 0) return {};
  return {
    density: { ...smoothedDensity(quadratures), probes: quadratures.length, steps },
    renyi: renyiSharpness(quadratures, size),
  };
}
