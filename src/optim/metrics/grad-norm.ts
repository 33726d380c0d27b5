import { norm } from "../vector.ts";
import { defineMetric } from "./metric.ts";

export const gradNorm = defineMetric({
  name: "gradNorm",
  title: "Gradient norm",
  symbol: "‖∇f‖",
  about: "norm of the mini-batch gradient at θ, before the step",
  of: ({ g }) => norm(g),
});
