import { add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, gradAt } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * Weighted SAM (Yue et al. 2023): the sharpness f(θ + ρĝ) − f(θ) is a penalty of weight γ/(1 − γ); γ = ½ is SAM. This is the form that
 * their code (atorch) has with decouple=False: the whole direction goes through the optimizer, where the decoupled form keeps the penalty out of
 * momentum. γ and ρ are that code's. Two gradients per step.
 */
export const wsam = defineMethod({
  name: "wsam",
  title: "WSAM",
  summary: "g + γ/(1 − γ)·(∇f(θ + ρĝ) − g)",
  source: "Yue et al. 2023",
  colour: "#a6761d",
  hyper: { rho: radius(), gamma: { ...fraction(0.9, "γ of the weight γ/(1 − γ) of sharpness"), symbol: "γ" } },
  descend: ({ f, theta, g, rho, gamma }) => {
    const epsilon = mul(rho, unit(g));
    const rise = sub(gradAt(f, add(theta, epsilon)), g);
    return { direction: add(g, mul(div(gamma, sub(1, gamma)), rise)), epsilon };
  },
});
