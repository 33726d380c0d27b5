import type { Method } from "./method.ts";
import { type Estimate, type Solver, solvers } from "./eigenvector.ts";

/** The settings under `method` that say how v is estimated. */
export interface RefreshSettings {
  /** Steps between estimates, k. */
  readonly every: number;
  /** Hessian-vector products per estimate, p. */
  readonly iterations: number;
  /** The part of v that the secant replaces in every step, for solvers that follow it. */
  readonly follow: number;
  /** What happens before the first regular estimate. */
  readonly warmup: "estimate" | "sam" | "usam";
  /** "official": steps are counted within the epoch, and its first is skipped (paper.md, section 2, item 2). */
  readonly compat: "none" | "official";
}

/** Where a step stands: counted over the whole run and within its epoch, both from 0. */
export interface Position {
  readonly step: number;
  readonly stepInEpoch: number;
}

/** When v is estimated or measured, and how. */
export interface RefreshPlan {
  /** Whether v is estimated at all. */
  readonly tracked: boolean;
  /** Steps between estimates or measurements; 0 where none follows the first. */
  readonly interval: number;
  readonly first: Estimate;
  readonly later: Estimate;
  /** Every estimate after the first is a measurement, which leaves v alone. */
  readonly measuresOnly: boolean;
  readonly follow: number;
  /** Whether an estimate is due before the step at this position. */
  due(at: Position, estimated: boolean): boolean;
}

/**
 * The plan of a method with its solver. A method without v is measured every `diagnosticsEvery` steps by the solver that finds the
 * largest signed eigenvalue; 0 measures nothing.
 */
export function refreshPlan(
  { needs }: Pick<Method, "needs">,
  chosen: Solver,
  settings: RefreshSettings,
  diagnosticsEvery: number,
): RefreshPlan {
  const { every, warmup, compat, iterations } = settings;
  const own = needs.v === true;
  const solver: Solver = own ? chosen : solvers.lanczos;
  const estimateEvery = own ? solver.interval(settings) : diagnosticsEvery;
  const first = estimateOf(solver.estimator, iterations);
  const measuresOnly = own && estimateEvery === 0;
  return {
    tracked: own || diagnosticsEvery > 0,
    interval: estimateEvery > 0 ? estimateEvery : diagnosticsEvery,
    first,
    later: measuresOnly || !own ? first : estimateOf(solver.estimator, solver.products(settings)),
    measuresOnly,
    follow: own && solver.follow ? settings.follow : 0,
    due: ({ step, stepInEpoch }, estimated) => {
      if (!own) return diagnosticsEvery > 0 && step % diagnosticsEvery === 0;
      if (compat === "official") return stepInEpoch > 0 && stepInEpoch % every === 0;
      if (step === 0) return warmup === "estimate";
      if (estimateEvery > 0) return step % estimateEvery === 0;
      return estimated ? diagnosticsEvery > 0 && step % diagnosticsEvery === 0 : step % every === 0;
    },
  };
}

/** One Lanczos step alone has v itself for its result, so a single product is a power step, which moves. */
const estimateOf = (estimator: Estimate["estimator"], products: number): Estimate => ({
  estimator: products === 1 ? "power" : estimator,
  products,
});
