import { minimum, mul } from "../../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { mix, unit } from "../vector.ts";

/** m ← λm + (1 − λ)g, and g in the first step. */
const mean = ({ g, step, lambda, m }: Record<"g" | "step" | "m", Tensor> & { readonly lambda: Operand }): Tensor =>
  mix(m, g, mul(lambda, minimum(step, 1)));

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
  cost: "2",
  colour: "#17becf",
  hyper: { rho: radius(0.05), lambda: { ...fraction(0.1, "memory of the mean"), symbol: "λ" } },
  state: { m: zeros },
  ascent: ({ rho, ...at }) => mul(rho, unit(mean(at))),
  combine: ({ ahead, ...at }) => ({ direction: ahead, m: mean(at) }),
});
