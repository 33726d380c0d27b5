import { mul } from "../../graph/ops/elementwise.ts";
import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** ε = ρĝ (Foret et al. 2021). */
export const sam = defineMethod({
  name: "sam",
  title: "SAM",
  summary: "∇f(θ + ρĝ)",
  source: "Foret et al. 2021",
  cost: "2",
  colour: "#0072b2",
  hyper: { rho: radius() },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
});
