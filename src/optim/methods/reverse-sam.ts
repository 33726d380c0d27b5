import { mul, neg } from "../../graph/ops/elementwise.ts";
import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** ε = −ρĝ: the gradient is taken downhill. Its series has the sign of H·ĝ turned and that of T[ĝ,ĝ] kept. */
export const reverseSam = defineMethod({
  name: "reverse-sam",
  title: "Reverse-SAM",
  summary: "∇f(θ − ρĝ)",
  source: "Luo et al. 2024",
  cost: "2",
  colour: "#cc79a7",
  hyper: { rho: radius() },
  unaligned: "its ε leads downhill",
  ascent: ({ g, rho }) => neg(mul(rho, unit(g))),
});
