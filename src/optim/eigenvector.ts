import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import { concat } from "../graph/ops/arrange.ts";
import { abs, add, div, mul, sign, sub } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Loss } from "./point.ts";
import { norm, unit } from "./vector.ts";
import { namesOf } from "../util/names.ts";

/** How v is estimated: by which iteration, and by how many Hessian-vector products at most. */
export interface Estimate {
  /** "power" and "lanczos" multiply by the Hessian of the step's own mini-batch, "oracle" by the mean Hessian of several fixed ones. */
  readonly estimator: "power" | "lanczos" | "oracle";
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
  /** Steps from one estimate by Hessian-vector products to the next; 0: none follows the first good one. */
  interval(settings: Frequency): number;
  /** The first estimate, and one after an estimate that was no good; undefined where v is never estimated. */
  first(settings: Frequency): Estimate | undefined;
  /** Every other estimate; left out, as the first. */
  later?(settings: Frequency): Estimate;
  /** Whether v follows the change of the gradient in every step, at the rate method.follow (see `followSecant`). */
  readonly follow: boolean;
}

const every = (settings: Frequency): number => settings.every;
const by =
  (estimator: Estimate["estimator"]) =>
  ({ iterations }: Frequency): Estimate =>
    estimateOf(estimator, iterations);

/** One Lanczos step alone has v itself for its result, so a single product is a power step, which moves. */
const estimateOf = (estimator: Estimate["estimator"], products: number): Estimate => ({
  estimator: products === 1 ? "power" : estimator,
  products,
});

/** The solvers; a new one is one entry. */
export const solvers = {
  power: {
    summary: "p power-iteration steps on every k-th batch, as the authors' code; goes to the largest |λ|",
    interval: every,
    first: by("power"),
    follow: false,
  },
  lanczos: {
    summary: "p Lanczos steps from the last v on every k-th batch; goes to the largest signed λ",
    interval: every,
    first: by("lanczos"),
    follow: false,
  },
  spread: {
    summary:
      "p Lanczos steps once, then one power-iteration step on every (k/p)-th batch: the products of `power`, spread evenly",
    interval: (settings) => Math.max(1, Math.round(settings.every / settings.iterations)),
    first: by("lanczos"),
    later: () => estimateOf("power", 1),
    follow: false,
  },
  free: {
    summary: "p Lanczos steps once, then no products: v follows ∇f(θ+ε) − ∇f(θ) ≈ Hε, which every step computes anyway",
    interval: () => 0,
    first: by("lanczos"),
    follow: true,
  },
  oracle: {
    summary:
      "Lanczos to a residual of 0.02 at every k-th step on method.batches fixed mini-batches: the best v there is, for studies; costly",
    interval: every,
    first: () => estimateOf("oracle", 40),
    follow: false,
  },
  random: {
    summary: "a fixed random direction: a placebo, for studies",
    interval: () => 0,
    first: () => undefined,
    follow: false,
  },
} as const satisfies Readonly<Record<string, Solver>>;

/** Name of a way to estimate the top eigenvector. */
export type SolverName = keyof typeof solvers;

/** The names of the solvers. */
export const solverNames = namesOf(solvers);

/** What an estimate says of itself. */
export interface Judged {
  /** The estimate of λ₁, signed. */
  readonly eigenvalue: number;
  /** ‖Hv − λv‖/|λ| of the vector that was multiplied last. */
  readonly residual: number;
}

/**
 * Whether an estimate is worth perturbing along: the curvature along it is positive, and ‖Hv − λv‖/|λ| is at most `trust`. Of a single
 * product the residual is that of the old v, so only the sign is judged. Where v = cos φ·v₁ + sin φ·w and Hw ≈ 0, the residual is
 * tan φ and vᵀHv/λ₁ is cos² φ: 0.5 stands for a ratio of 0.8. [C] The authors' code uses whatever it finds.
 */
export const isGood = ({ eigenvalue, residual }: Judged, { products }: Estimate, trust: number): boolean =>
  eigenvalue > 0 && (products === 1 || residual <= trust);

/**
 * v ← unit((1 − c)·v + c·sign⟨ε,v⟩·Δ/‖Δ‖), Δ = ∇f(θ+ε) − ∇f(θ) ≈ Hε. The change of the gradient that SAM computes anyway is a product
 * of the batch's Hessian with ε ∝ ĝ + α·sign⟨g,v⟩·v⊥: a power step from the gradient, which leans to the top eigenvectors already,
 * and a little from v. The average over steps is over many batches. With the sign of ⟨ε,v⟩ it is a power iteration of I + cH, up to
 * scale, which climbs to the largest signed eigenvalue and leaves a negative one; with that of ⟨Δ,v⟩ it would go to the largest |λ|.
 */
export const followSecant = (v: Tensor, delta: Tensor, epsilon: Tensor, c: number): Tensor =>
  unit(add(mul(1 - c, v), mul(mul(c, sign(dot(epsilon, v))), unit(delta))));

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

/** The Krylov space of `steps` Lanczos steps from v in one graph, with full reorthogonalization (see spectrum/lanczos.ts). */
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
