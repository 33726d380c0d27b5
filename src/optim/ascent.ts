import { dot } from "../graph/grad.ts";
import { add, mul, neg, sign } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { reject, unit } from "./vector.ts";

/** What an ascent rule sees: parameters θ, gradient g, the estimate v of the top Hessian eigenvector (unit), radius ρ, strength α. */
export interface AscentArgs {
  readonly theta: Tensor;
  readonly g: Tensor;
  readonly v: Tensor;
  readonly rho: Operand;
  readonly alpha: Operand;
}

/** A perturbation ε of the parameters at which the descent gradient is taken. */
export type AscentRule = (args: AscentArgs) => Tensor;

/** ε = ρ ĝ (Foret et al. 2021). */
export const sam: AscentRule = ({ g, rho }) => mul(rho, unit(g));

/** ε = ρ g, not normalized (Andriushchenko & Flammarion 2022). */
export const usam: AscentRule = ({ g, rho }) => mul(rho, g);

/** ε = ρ θ²g / ‖θg‖, square and products elementwise: a radius relative to each parameter (Kwon et al. 2021). */
export const asam: AscentRule = ({ theta, g, rho }) => mul(rho, mul(theta, unit(mul(theta, g))));

/** ε = −ρ ĝ: the gradient is taken downhill. */
export const reverseSam: AscentRule = ({ g, rho }) => neg(mul(rho, unit(g)));

/**
 * ε = ρ (ĝ + α·sign⟨g,v⟩·v⊥), v⊥ = v − ⟨v,ĝ⟩ĝ (Luo et al. 2024). Not renormalized: ⟨ε,ĝ⟩ = ρ. With v = 0, before the
 * first estimate, it is SAM's.
 */
export const eigenSam: AscentRule = ({ g, v, rho, alpha }) => {
  const u = unit(g);
  return mul(rho, add(u, mul(mul(alpha, sign(dot(u, v))), reject(v, u))));
};
