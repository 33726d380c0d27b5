import { add, minimum, mul } from "../../graph/ops/elementwise.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, gradAt, zeros } from "../method.ts";
import { mix, unit } from "../vector.ts";

/**
 * Variance-suppressed SAM (Li & Giannakis 2023): ε follows a running mean of gradients, this step's included, so that one mini-batch's
 * noise does not decide it. λ is the authors' 1 − θ; the defaults are their code's (BingcongLi/VaSSO), θ = 0.9. m starts as
 * the first gradient. Two gradients per step.
 */
export const vasso = defineMethod({
  name: "vasso",
  title: "VaSSO",
  summary: "m ← λm + (1 − λ)g,  ∇f(θ + ρ·unit(m))",
  source: "Li & Giannakis 2023",
  colour: "#17becf",
  hyper: { rho: radius(0.05), lambda: { ...fraction(0.1, "memory of the mean"), symbol: "λ" } },
  state: { m: zeros },
  descend: ({ f, theta, g, step, rho, lambda, m }) => {
    const mean = mix(m, g, mul(lambda, minimum(step, 1)));
    const epsilon = mul(rho, unit(mean));
    return { direction: gradAt(f, add(theta, epsilon)), epsilon, m: mean };
  },
});
