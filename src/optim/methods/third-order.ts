import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** The third-order term alone; it completes the table of signs of SAM, Reverse-SAM and EGR. [C] Our choice. */
export const thirdOrder = defineMethod({
  name: "third-order",
  title: "Third-order",
  summary: "g + (ρ²/2)T[ĝ,ĝ]",
  source: "completes the paper's table; our choice",
  cost: "1 and two Hessian-vector products, one inside the other",
  colour: "#5b3fa0",
  hyper: { rho: radius() },
  series: { ascent: ({ g }) => unit(g), factors: [0, 1] },
});
