import { minimum, mul, sub } from "../../graph/ops/elementwise.ts";
import { fraction, radius, real } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { mix, unit } from "../vector.ts";

/**
 * Friendly SAM (Li et al. 2024): ε follows the part of g that the running mean m of earlier gradients does not explain. m starts as
 * the first gradient, as in the authors' code (nblt/F-SAM), whose σ, λ and ρ are the defaults; their published CIFAR runs
 * take ρ = 0.2, λ = 0.6. Two gradients per step.
 */
export const fSam = defineMethod({
  name: "f-sam",
  title: "F-SAM",
  summary: "∇f(θ + ρ·unit(g − σm)),  m ← λm + (1 − λ)g",
  source: "Li et al. 2024",
  cost: "2",
  colour: "#8c564b",
  hyper: {
    rho: radius(0.05),
    sigma: real(1, "share of the mean m that is taken out", { min: 0, symbol: "σ" }),
    lambda: { ...fraction(0.9, "memory of the mean"), symbol: "λ" },
  },
  state: { m: zeros },
  ascent: ({ g, rho, sigma, m }) => mul(rho, unit(sub(g, mul(sigma, m)))),
  combine: ({ ahead, g, step, lambda, m }) => ({ direction: ahead, m: mix(m, g, mul(lambda, minimum(step, 1))) }),
});
