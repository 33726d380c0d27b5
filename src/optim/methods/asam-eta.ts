import { abs, add, mul, sub } from "../../graph/ops/elementwise.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * ASAM as its authors' code has it (SamsungLabs/ASAM, with its ρ and η): the radius is relative to |θ| + η on every parameter that is called
 * weight, those of batch norm included, and absolute on the others. `asam` is the bare formula on all. Two gradients per step.
 */
export const asamEta = defineMethod({
  name: "asam-eta",
  title: "ASAM-η",
  summary: "∇f(θ + ρ T²g/‖Tg‖),  T = |θ| + η on weights, 1 elsewhere",
  source: "Kwon et al. 2021",
  cost: "2",
  colour: "#66a61e",
  hyper: { rho: radius(0.5), eta: real(0.01, "least scale η of a weight", { min: 0, symbol: "η" }) },
  needs: { mask: ({ name }) => name.includes("weight") },
  ascent: ({ theta, g, mask, rho, eta }) => {
    const scale = add(mul(mask, add(abs(theta), eta)), sub(1, mask));
    return mul(rho, mul(scale, unit(mul(scale, g))));
  },
});
