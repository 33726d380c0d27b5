import { type Quadrature, smoothedDensity } from "../../src/spectrum/density.ts";
import type { CurvatureResult, LossSlice } from "../../src/curvature/result.ts";

/** The loss of a bowl with a valley: two curvatures, a slope along the first and a little of the fourth order. */
export const bowl = (a: number, b: number): number => 0.4 + 0.3 * a + 6 * a ** 2 + 1.5 * b ** 2 + 4 * a ** 4;

export const evenly = (from: number, to: number, points: number): number[] =>
  Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));

export function plane(
  directions: readonly [string, string],
  f: (a: number, b: number) => number,
  points = 25,
): LossSlice {
  const coordinates = evenly(-1, 1, points);
  return {
    directions,
    coordinates,
    loss: coordinates.flatMap((b) => coordinates.map((a) => f(a, b))),
    slope: [],
    curvature: [],
  };
}

export function line(direction: string, f: (a: number) => number, derivatives: readonly number[] = []): LossSlice {
  const coordinates = evenly(-1, 1, 41);
  const [slope, curvature] = derivatives;
  return {
    directions: [direction],
    coordinates,
    loss: coordinates.map(f),
    slope: slope === undefined ? [] : [slope],
    curvature: curvature === undefined ? [] : [curvature],
  };
}

/** As of a trained classifier: a bulk at zero, one outlier per class but one, a few negative eigenvalues. */
const outliers = [41.3, 28.9, 22.4, 17.8, 14.1, 11.6, 9.7, 7.2, 5.8, 3.1];
const negative = [-1.92, -1.41, -1.18, -0.97];
const parameters = 272_474;

/** Probes that differ by their weights, as random ones do. */
const probe = (seed: number): Quadrature => {
  const bulk = evenly(-1.2, 2.6, 30);
  const nodes = [...negative, ...bulk, ...outliers];
  const weight = (x: number, i: number) =>
    i >= negative.length && i < negative.length + bulk.length
      ? Math.exp(-4 * Math.abs(x)) * (1 + 0.2 * Math.sin(7 * seed + i))
      : ((1 + 0.9 * Math.sin(3 * seed + 5 * i)) * 2) / parameters;
  const raw = nodes.map(weight);
  const sum = raw.reduce((a, b) => a + b, 0);
  return { nodes, weights: raw.map((w) => w / sum) };
};

const layers = [
  ["conv1", 432, 19.4],
  ["layer1.0.conv1", 2304, 6.31],
  ["layer1.0.conv2", 2304, 4.92],
  ["layer2.0.conv1", 4608, 3.77],
  ["layer2.0.conv2", 9216, 1.64],
  ["layer3.0.conv1", 18432, 1.12],
  ["layer3.0.conv2", 36864, -0.021],
  ["fc", 650, 12.7],
] as const;

/** Loss and gradient alone. */
export const bareCurvature: CurvatureResult = {
  model: "resnet20",
  parameters,
  data: "cifar10 (training)",
  n: 4096,
  batches: 8,
  order: "random",
  seed: 1,
  bn: "batch",
  dtype: "f32",
  loss: bowl(0, 0),
  gradNorm: 0.3,
  eigenvalues: [],
  residuals: [],
  heldOut: [],
  gradientCosines: [],
  bottom: [],
  bottomResiduals: [],
  converged: true,
  products: 512,
  seconds: 431.6,
};

/** A plausible result with everything in it. */
export const fakeCurvature: CurvatureResult = {
  ...bareCurvature,
  eigenvalues: outliers,
  residuals: outliers.map((_, i) => 1e-4 * 2 ** i),
  heldOut: outliers.map((value) => ({ mean: 0.9 * value, stderr: 0.06 * value + 0.2 })),
  gradientCosines: outliers.map((_, i) => 0.6 / (i + 1)),
  bottom: negative,
  bottomResiduals: negative.map((_, i) => 1e-3 * (i + 1)),
  trace: { mean: 913.2, stderr: 21.7, products: 120 },
  frobenius: { mean: 64.2, stderr: 2.1, products: 40 },
  density: { ...smoothedDensity([1, 2, 3, 4, 5].map(probe)), probes: 5, steps: 44 },
  layers: layers.map(([name, count, eigenvalue], i) => ({
    name,
    parameters: count,
    eigenvalue,
    residual: name === "fc" ? 3e-2 : 2e-4,
    converged: name !== "fc",
    trace: { mean: 7.5 * eigenvalue + 1, stderr: 0.3 + 0.2 * i },
  })),
  slices: [
    line("g", (a) => bowl(a, 0), [0.3, 12]),
    line("v1", (a) => bowl(0.2 * a, a), [0.06, 3.48]),
    line("random", (a) => 0.4 + 90 * a ** 4),
    plane(["v1", "v2"], bowl),
  ],
};
