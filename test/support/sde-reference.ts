import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { TrainingMethodName } from "../../src/optim/methods/index.ts";
import type { SdeVariantName } from "../../src/sde/variants.ts";
import { along, dotOf, normOf } from "./numbers.ts";

type Vector = ArrayLike<number>;

/** Examples: rows of `features` numbers, and labels. */
export interface Points {
  readonly x: readonly Vector[];
  readonly y: readonly number[];
}

/** Sizes of a tanh network with one hidden layer: θ is W₁ [hidden, features], b₁, W₂ [classes, hidden], b₂, row by row. */
export interface Sizes {
  readonly features: number;
  readonly hidden: number;
  readonly classes: number;
}

const unit = (x: Vector) => Float64Array.from(x, (value) => value / normOf(x));
const scaled = (x: Vector, by: number) => Float64Array.from(x, (value) => by * value);

/** The network and its derivatives in plain float64: backpropagation by hand, and differences of it. */
export function tanhReference({ features, hidden, classes }: Sizes) {
  const [b1, w2] = [hidden * features, hidden * features + hidden];
  const b2 = w2 + classes * hidden;

  const pass = (theta: Vector, x: Vector) => {
    const h = Array.from({ length: hidden }, (_, i) => {
      let sum = theta[b1 + i]!;
      for (let j = 0; j < features; j++) sum += theta[i * features + j]! * x[j]!;
      return Math.tanh(sum);
    });
    const z = Array.from({ length: classes }, (_, k) => {
      let sum = theta[b2 + k]!;
      for (let i = 0; i < hidden; i++) sum += theta[w2 + k * hidden + i]! * h[i]!;
      return sum;
    });
    const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
    return { h, z, p: z.map((value) => Math.exp(value) / total) };
  };

  /** Mean cross-entropy, part of right answers, and the gradient. */
  const score = (theta: Vector, { x, y }: Points) => {
    const gradient = new Float64Array(b2 + classes);
    let [loss, accuracy] = [0, 0];
    for (const [n, input] of x.entries()) {
      const { h, z, p } = pass(theta, input);
      loss -= Math.log(p[y[n]!]!) / x.length;
      accuracy += Number(z.indexOf(Math.max(...z)) === y[n]) / x.length;
      const dz = p.map((value, k) => (value - Number(k === y[n])) / x.length);
      for (let i = 0; i < hidden; i++) {
        let back = 0;
        for (let k = 0; k < classes; k++) {
          gradient[w2 + k * hidden + i]! += dz[k]! * h[i]!;
          back += dz[k]! * theta[w2 + k * hidden + i]!;
        }
        const da = back * (1 - h[i]! ** 2);
        gradient[b1 + i]! += da;
        for (let j = 0; j < features; j++) gradient[i * features + j]! += da * input[j]!;
      }
      for (let k = 0; k < classes; k++) gradient[b2 + k]! += dz[k]!;
    }
    return { loss, accuracy, gradient };
  };
  const gradient = (theta: Vector, points: Points) => score(theta, points).gradient;

  /** Σ cₖ·∇f(θ + k·e·u), k = −3 … 3, over a power of e: sixth-order differences. */
  const stencil = (weights: readonly number[], scale: number, e: number) => (theta: Vector, u: Vector, of: Points) => {
    const length = normOf(u);
    if (length === 0) return scaled(u, 0);
    return weights.reduce<Float64Array>(
      (sum, weight, i) =>
        weight === 0 ? sum : along(sum, gradient(along(theta, u, ((i - 3) * e) / length), of), weight / scale),
      new Float64Array(theta.length),
    );
  };
  const first = stencil([-1, 9, -45, 0, 45, -9, 1], 60 * 4e-3, 4e-3);
  const second = stencil([2, -27, 270, -490, 270, -27, 2], 180 * 1.2e-2 ** 2, 1.2e-2);
  /** H·u. */
  const hessianTimes = (theta: Vector, u: Vector, of: Points) => scaled(first(theta, u, of), normOf(u));
  /** T[u,u]. */
  const third = (theta: Vector, u: Vector, of: Points) => scaled(second(theta, u, of), normOf(u) ** 2);

  /** λ₁ of the whole Hessian. */
  const topEigenvalue = (theta: Vector, of: Points): number => {
    const rows = Array.from({ length: theta.length }, (_, i) =>
      Array.from(
        hessianTimes(
          theta,
          Float64Array.from({ length: theta.length }, (_, j) => Number(i === j)),
          of,
        ),
      ),
    );
    return Math.max(...new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true }).realEigenvalues);
  };
  return { score, gradient, hessianTimes, third, topEigenvalue };
}

export type Reference = ReturnType<typeof tanhReference>;

/** The least scale of a weight that `asam-eta` has by default. */
const ETA = 0.01;

/** What the methods' directions are made of, beside a mini-batch. */
export interface MethodValues {
  readonly rho: number;
  readonly alpha: number;
  readonly v: Vector;
  /** 1 where the method's mask counts a parameter, in the order of θ. */
  readonly mask?: Vector;
}

/** The perturbation at ρ = 1, as the methods' papers have it. */
function ascent(
  method: TrainingMethodName,
  theta: Vector,
  g: Vector,
  { alpha, v, mask = g }: MethodValues,
): Float64Array {
  const u = unit(g);
  switch (method) {
    case "sgd":
      return scaled(g, 0);
    case "usam":
      return Float64Array.from(g);
    case "reverse-sam":
      return scaled(u, -1);
    case "asam": {
      const square = Float64Array.from(g, (value, i) => theta[i]! ** 2 * value);
      return scaled(square, 1 / normOf(Float64Array.from(g, (value, i) => theta[i]! * value)));
    }
    case "sam-on": // The network has no normalization layers.
      return scaled(g, 0);
    case "asam-eta": {
      const scale = Float64Array.from(theta, (value, i) => (mask[i] === 1 ? Math.abs(value) + ETA : 1));
      const length = normOf(Float64Array.from(g, (value, i) => scale[i]! * value));
      return Float64Array.from(g, (value, i) => (scale[i]! ** 2 * value) / length);
    }
    case "eigen-sam": {
      const c = dotOf(u, v);
      return along(u, along(v, u, -c), alpha * Math.sign(c));
    }
    default:
      return u;
  }
}

/** h of one mini-batch by its definition: ∇f(θ + ρw), or the series g + ρHw + (ρ²/2)T[w,w] cut off. */
export function directionOf(
  { gradient, hessianTimes, third }: Reference,
  method: TrainingMethodName,
  variant: SdeVariantName,
  theta: Vector,
  points: Points,
  values: MethodValues,
): Float64Array {
  const g = gradient(theta, points);
  const w = ascent(method, theta, g, values);
  const { rho } = values;
  const Hw = () => scaled(hessianTimes(theta, w, points), rho);
  const Tww = () => scaled(third(theta, w, points), rho ** 2 / 2);
  const [first, last] = [method !== "third-order", method !== "egr"];
  const series = (order: number) =>
    along(
      along(g, first && order >= 1 ? Hw() : g, Number(first && order >= 1)),
      last && order >= 2 ? Tww() : g,
      Number(last && order >= 2),
    );
  if (variant === "exact") return first && last ? gradient(along(theta, w, rho), points) : series(2);
  return series({ sgd: 0, second: 1, third: 2 }[variant]);
}
