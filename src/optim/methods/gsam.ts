import { mul, sub } from "../../graph/ops/elementwise.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { reject, unit } from "../vector.ts";

/**
 * Surrogate-gap guided SAM (Zhuang et al. 2022): SAM's gradient g₊, less α times the part of g across it, which lowers the gap between
 * f(θ + ε) and f(θ). That part is taken of g − g₊, the same in exact arithmetic and zero where ρ is. α is that of the authors' CIFAR
 * example (juntang-zhuang/GSAM). [C] ρ is SAM's and constant; theirs falls with the learning rate. Two gradients per step.
 */
export const gsam = defineMethod({
  name: "gsam",
  title: "GSAM",
  summary: "g₊ − α(g − ⟨g,ĝ₊⟩ĝ₊),  g₊ = ∇f(θ + ρĝ)",
  source: "Zhuang et al. 2022",
  cost: "2",
  colour: "#bcbd22",
  hyper: { rho: radius(), alpha: real(0.4, "weight of the surrogate gap α", { min: 0, symbol: "α" }) },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ ahead, g, alpha }) => ({
    direction: sub(ahead, mul(alpha, reject(sub(g, ahead), unit(ahead)))),
  }),
});
