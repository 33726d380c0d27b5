import { add, mul, sub } from "../../graph/ops/elementwise.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod, gradAt } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * Curvature-regularized SAM (Wu et al. 2024): SAM's gradient g₊, with the second and the first difference of gradients along ĝ as
 * penalties. Defaults are those of the authors' training script (TrustAIoT/CR-SAM). Three gradients per step.
 */
export const crSam = defineMethod({
  name: "cr-sam",
  title: "CR-SAM",
  summary: "g₊ + γ(g₊ + g₋ − 2g) + β(g₊ − g₋),  g± = ∇f(θ ± ρĝ)",
  source: "Wu et al. 2024",
  cost: "3",
  colour: "#e7298a",
  hyper: {
    rho: radius(0.1),
    gamma: real(0.1, "weight γ of the second difference", { symbol: "γ" }),
    beta: real(0.01, "weight β of the first difference", { symbol: "β" }),
  },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ f, theta, g, epsilon, ahead, gamma, beta }) => {
    const behind = gradAt(f, sub(theta, epsilon));
    const second = sub(add(ahead, behind), mul(2, g));
    return { direction: add(add(ahead, mul(gamma, second)), mul(beta, sub(ahead, behind))) };
  },
});
