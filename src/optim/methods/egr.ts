import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** Explicit gradient-norm regularization: g + ρHĝ is the gradient of f + ρ‖∇f‖. */
export const egr = defineMethod({
  name: "egr",
  title: "EGR",
  summary: "g + ρHĝ, the gradient of f + ρ‖∇f‖",
  source: "Luo et al. 2024",
  cost: "1 and one Hessian-vector product",
  colour: "#b59f00",
  hyper: { rho: radius() },
  series: { ascent: ({ g }) => unit(g), factors: [1, 0] },
});
