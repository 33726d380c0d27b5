import { mul } from "../../graph/ops/elementwise.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { turned, unit } from "../vector.ts";

/**
 * ε = ρ(ĝ + α·sign⟨g,v⟩·v⊥), v⊥ = v − ⟨v,ĝ⟩ĝ (Luo et al. 2024). Not renormalized: ⟨ε,ĝ⟩ = ρ. With v = 0, before the
 * first estimate, it is SAM's.
 */
export const eigenSam = defineMethod({
  name: "eigen-sam",
  title: "Eigen-SAM",
  summary: "∇f(θ + ρ(ĝ + α·sign⟨g,v⟩·v⊥))",
  source: "Luo et al. 2024",
  cost: "2 and the estimates of v",
  colour: "#d55e00",
  hyper: { rho: radius(), alpha: real(0.2, "alignment strength α", { min: 0, symbol: "α" }) },
  needs: { v: true },
  unaligned: "its ε is turned already, by method.alpha",
  ascent: ({ g, v, rho, alpha }) => mul(rho, turned(unit(g), v, alpha)),
});
