import { add, mul, sub } from "../../graph/ops/elementwise.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { norm, reject, unit } from "../vector.ts";

/**
 * LookSAM (Liu et al. 2022): SAM's step at every k-th one, which also keeps u, the direction of SAM's gradient across g; between them g is turned by
 * α‖g‖u, at the cost of g alone: 1 + 1/k gradients per step. Norms are global, as in MarlonBecker/MSAM.
 * [C] Defaults are those in common use, not checked against the authors' runs.
 */
export const lookSam = defineMethod({
  name: "look-sam",
  title: "LookSAM",
  summary: "every k-th step g₊ = ∇f(θ + ρĝ), u ← unit(g₊ − ⟨g₊,ĝ⟩ĝ);  else g + α‖g‖u",
  source: "Liu et al. 2022",
  cost: "1, and 2 in every k-th step",
  colour: "#9467bd",
  hyper: {
    rho: radius(),
    alpha: real(0.7, "weight of the kept direction α", { min: 0, symbol: "α" }),
    k: real(10, "steps from one step of SAM to the next, k", { min: 1 }),
  },
  state: { u: zeros },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ ahead, g }) => ({ direction: ahead, u: unit(reject(sub(ahead, g), unit(g))) }),
  between: {
    when: (step, { k }) => step % k !== 0,
    descend: ({ g, alpha, u }) => ({ direction: add(g, mul(mul(alpha, norm(g)), u)), u }),
  },
});
