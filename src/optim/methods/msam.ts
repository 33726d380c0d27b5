import { add, mul, neg } from "../../graph/ops/elementwise.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * Momentum SAM (Becker et al. 2024): the gradient at a point ahead along −m, where momentum is about to go; downhill, as in the paper.
 * θ itself stays unperturbed, and ρ is the default of the authors' class (MarlonBecker/MSAM); their CIFAR example takes ρ = 3 at
 * η = 0.5. [C] m is a momentum of the method's own, so that any optimizer will do: with SGD of momentum μ and no weight decay it is
 * the optimizer's. Decay acts at θ and not in m, theirs at the perturbed point and in it. One gradient per step; here a second, at θ, is taken for the records.
 */
export const msam = defineMethod({
  name: "msam",
  title: "MSAM",
  summary: "d = ∇f(θ − ρ·unit(m)),  m ← μm + d",
  source: "Becker et al. 2024",
  cost: "2, one of them for the records",
  colour: "#e377c2",
  hyper: { rho: radius(0.3), mu: { ...fraction(0.9, "momentum μ of the method's own m"), symbol: "μ" } },
  state: { m: zeros },
  unaligned: "its ε leads downhill",
  ascent: ({ rho, m }) => neg(mul(rho, unit(m))),
  combine: ({ ahead, mu, m }) => ({ direction: ahead, m: add(mul(mu, m), ahead) }),
});
