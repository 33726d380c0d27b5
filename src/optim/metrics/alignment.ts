import { cosine } from "../vector.ts";
import { defineMetric } from "./metric.ts";

/** What a solver believes: cosines with its own v̂, which was mixed into ε. The probe measures those with v₁ (train/probe.ts). */
export const cosGradV = defineMetric({
  name: "cosGradV",
  title: "alignment of the gradient with v̂",
  symbol: "|cos(∇f, v̂)|",
  about: "absolute cosine of the angle between the mini-batch gradient and the solver's v̂",
  eigenvector: true,
  of: ({ g, v }) => cosine(g, v),
});

export const cosEpsV = defineMetric({
  name: "cosEpsV",
  title: "alignment of the perturbation with v̂",
  symbol: "|cos(ε, v̂)|",
  about: "absolute cosine of the angle between the perturbation ε and the solver's v̂",
  eigenvector: true,
  of: ({ epsilon, v }) => epsilon && cosine(epsilon, v),
});
