import { add, mul, sign } from "../graph/ops/elementwise.ts";
import { dot } from "../graph/grad.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { reject, unit } from "./vector.ts";

/** What an ascent rule sees: the gradient g, the estimate v of the top Hessian eigenvector (unit), radius ρ, strength α. */
export interface AscentArgs {
  readonly g: Tensor;
  readonly v: Tensor;
  readonly rho: Operand;
  readonly alpha: Operand;
}

/** A perturbation ε of the parameters at which the descent gradient is taken. */
export type AscentRule = (args: AscentArgs) => Tensor;

/** ε = ρ ĝ (Foret et al. 2021). */
export const sam: AscentRule = ({ g, rho }) => mul(rho, unit(g));

/** ε = ρ (ĝ + α·sign⟨g,v⟩·v⊥), v⊥ = v − ⟨v,ĝ⟩ĝ (Luo et al. 2024). Not renormalized: ⟨ε,ĝ⟩ = ρ. */
export const eigenSam: AscentRule = ({ g, v, rho, alpha }) => {
  const u = unit(g);
  return mul(rho, add(u, mul(mul(alpha, sign(dot(u, v))), reject(v, u))));
};
