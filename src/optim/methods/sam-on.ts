import { mul } from "../../graph/ops/elementwise.ts";
import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * SAM that perturbs normalization layers alone (Müller et al. 2023), with the radius of the authors' class (mueller-mp/SAM-ON). They
 * select by the name; here it is what a batch norm declares: a vector that is neither a layer's weight nor its bias.
 * Without such layers it is the base optimizer. Two gradients per step.
 */
export const samOn = defineMethod({
  name: "sam-on",
  title: "SAM-ON",
  summary: "∇f(θ + ρ·unit(g of normalization layers, else 0))",
  source: "Müller et al. 2023",
  cost: "2",
  colour: "#1b7837",
  hyper: { rho: radius(0.5) },
  needs: { mask: ({ role, shape }) => role === undefined && shape.length === 1 },
  unaligned: "its ε is of normalization layers alone, and v is not",
  ascent: ({ g, mask, rho }) => mul(rho, unit(mul(mask, g))),
});
