import { mul } from "../../graph/ops/elementwise.ts";
import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** ε = ρ θ²g/‖θg‖, square and products elementwise: a radius relative to each parameter (Kwon et al. 2021, with their ρ for CIFAR-10). */
export const asam = defineMethod({
  name: "asam",
  title: "ASAM",
  summary: "∇f(θ + ρ θ²g/‖θg‖), elementwise",
  source: "Kwon et al. 2021",
  cost: "2",
  colour: "#009e73",
  hyper: { rho: radius(0.5) },
  ascent: ({ theta, g, rho }) => mul(rho, mul(theta, unit(mul(theta, g)))),
});
