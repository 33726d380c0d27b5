import { norm } from "../vector.ts";
import { defineMetric } from "./metric.ts";

export const gradNorm = defineMetric({
  name: "gradNorm",
  id: "gradient-norm",
  title: "gradient norm",
  symbol: "‖∇f‖",
  about: "norm of the mini-batch gradient at the weights before the step",
  of: ({ g }) => norm(g),
  figure: {
    title: "Gradient norm",
    shows: "Norm of the mini-batch gradient at the weights before each step, without the perturbation",
    needs: "a training step",
    zero: true,
  },
});
