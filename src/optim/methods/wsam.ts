import { add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * Weighted SAM (Yue et al. 2023): a step of the optimizer on g, and apart from its momentum a step of η·γ/(1 − γ) along r, the rise of the gradient
 * to θ + ρĝ. Taking μ times the last one from r keeps it out of an SGD of momentum μ, so the two together are the authors'
 * decoupled steps (atorch, with its γ and ρ); μ = 0 is their form with decouple=False, the one for AdamW. Two gradients per step.
 */
export const wsam = defineMethod({
  name: "wsam",
  title: "WSAM",
  summary: "g + γ/(1 − γ)·(r − μ·last r),  r = ∇f(θ + ρĝ) − g",
  source: "Yue et al. 2023",
  cost: "2",
  colour: "#a6761d",
  hyper: {
    rho: radius(),
    gamma: { ...fraction(0.9, "γ of the weight γ/(1 − γ) of sharpness"), symbol: "γ" },
    mu: { ...fraction(0.9, "momentum μ of the optimizer, kept away from sharpness; 0 lets it in"), symbol: "μ" },
  },
  state: { r: zeros },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ ahead, g, gamma, mu, r }) => {
    const [rise, weight] = [sub(ahead, g), div(gamma, sub(1, gamma))];
    return { direction: add(g, mul(weight, sub(rise, mul(mu, r)))), r: rise };
  },
});
