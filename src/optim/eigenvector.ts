import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import { concat } from "../graph/ops/arrange.ts";
import { abs, add, div, mul, sign, sub } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Loss } from "./point.ts";
import { norm, unit } from "./vector.ts";
import { namesOf } from "../util/names.ts";

/** An estimate of v: what its Hessian-vector products are used for, and how many it makes. */
export interface Estimate {
  readonly estimator: "power" | "lanczos";
  readonly products: number;
}

/** How often, from the settings method.every (k) and method.iterations (p). */
interface Frequency {
  readonly every: number;
  readonly iterations: number;
}

/** How the estimate v of the top Hessian eigenvector is kept up during training. docs/notes/eigenvector-solvers.md compares them. */
export interface Solver {
  /** One line: what it does and costs. */
  readonly summary: string;
  /** Steps from one estimate by Hessian-vector products to the next; 0: only the first is made. */
  interval(settings: Frequency): number;
  /** Products of every estimate but the first, which makes `iterations` of them. */
  products(settings: Frequency): number;
  /** What the products of the first estimate, or of many, are used for. */
  readonly estimator: Estimate["estimator"];
  /** Whether v follows the change of the gradient in every step, at the rate method.follow (see `followSecant`). */
  readonly follow: boolean;
}

/** The solvers; a new one is one entry. */
export const solvers = {
  power: {
    summary: "p power-iteration steps on every k-th batch, as the authors' code; goes to the largest |λ|",
    interval: ({ every }) => every,
    products: ({ iterations }) => iterations,
    estimator: "power",
    follow: false,
  },
  lanczos: {
    summary: "p Lanczos steps from the last v on every k-th batch; goes to the largest signed λ",
    interval: ({ every }) => every,
    products: ({ iterations }) => iterations,
    estimator: "lanczos",
    follow: false,
  },
  spread: {
    summary: "one power-iteration step on every (k/p)-th batch: the products of `power`, spread evenly",
    interval: ({ every, iterations }) => Math.max(1, Math.round(every / iterations)),
    products: () => 1,
    estimator: "lanczos",
    follow: false,
  },
  free: {
    summary: "no products after the first estimate: v follows ∇f(θ+ε) − ∇f(θ) ≈ Hε, which every step computes anyway",
    interval: () => 0,
    products: () => 1,
    estimator: "lanczos",
    follow: true,
  },
} as const satisfies Readonly<Record<string, Solver>>;

export type SolverName = keyof typeof solvers;

export const solverNames = namesOf(solvers);

/**
 * v ← unit((1 − c)·v + c·sign⟨Δ,v⟩·Δ/‖Δ‖), Δ = ∇f(θ+ε) − ∇f(θ) ≈ Hε. The change of the gradient that SAM computes anyway is a product of
 * the batch's Hessian with ε ∝ ĝ + α·sign⟨g,v⟩·v⊥: a power step from the gradient, which leans to the top eigenvectors already, and a
 * little from v. The average over steps is over many batches.
 */
export const followSecant = (v: Tensor, delta: Tensor, c: number): Tensor =>
  unit(add(mul(1 - c, v), mul(mul(c, sign(dot(delta, v))), unit(delta))));

export interface PowerResult {
  readonly v: Tensor;
  /** Rayleigh quotient λ = vᵀHv of the last unit vector that was multiplied: the estimate of the top eigenvalue. */
  readonly eigenvalue: Tensor;
  /** The Rayleigh quotient of the incoming v. */
  readonly first: Tensor;
  /** ‖Hv − λv‖ / |λ| of the same vector. */
  readonly residual: Tensor;
  /** The gradient at the point, which the products share. */
  readonly g: Tensor;
}

/** `iterations` steps of v ← Hv/‖Hv‖ at one point; all products share one forward pass and one gradient. */
export function powerIteration(f: Loss, theta: Tensor, v: Tensor, iterations: number): PowerResult {
  const g = grad(f(theta), theta);
  let vector = v;
  let eigenvalue = constant(0, [], theta.dtype);
  let first = eigenvalue;
  let residual = constant(0, [], theta.dtype);
  for (let i = 0; i < iterations; i++) {
    const Hv = gradientVectorProduct(g, theta, vector);
    eigenvalue = dot(vector, Hv);
    if (i === 0) first = eigenvalue;
    if (i === iterations - 1) residual = div(norm(sub(Hv, mul(eigenvalue, vector))), abs(eigenvalue));
    vector = unit(Hv);
  }
  return { v: vector, eigenvalue, first, residual, g };
}

export interface KrylovResult {
  /** Orthonormal vectors q₁ … q_p as rows, [p, d]. */
  readonly basis: Tensor;
  /** Diagonal of QᵀHQ, [p]. */
  readonly alpha: Tensor;
  /** Off-diagonal, [p]; the last is the norm of what H·q_p adds to the space. */
  readonly beta: Tensor;
  readonly g: Tensor;
}

/** The Krylov space of `steps` Lanczos steps from v in one graph, with full reorthogonalization (see curvature/lanczos.ts). */
export function krylovSpace(f: Loss, theta: Tensor, v: Tensor, steps: number): KrylovResult {
  const g = grad(f(theta), theta);
  const basis: Tensor[] = [];
  const [alpha, beta]: [Tensor[], Tensor[]] = [[], []];
  let q = unit(v);
  for (let step = 0; step < steps; step++) {
    basis.push(q);
    let rest = gradientVectorProduct(g, theta, q);
    alpha.push(dot(q, rest));
    for (let pass = 0; pass < 2; pass++) for (const b of basis) rest = sub(rest, mul(dot(rest, b), b));
    beta.push(norm(rest));
    q = unit(rest);
  }
  const stacked = (parts: readonly Tensor[], each: number) => concat(parts.map((x) => reshape(x, [1, each])));
  const flat = (parts: readonly Tensor[]) => reshape(stacked(parts, 1), [steps]);
  return { basis: stacked(basis, v.shape[0]!), alpha: flat(alpha), beta: flat(beta), g };
}
