import { cosine } from "../vector.ts";
import { defineMetric } from "./metric.ts";

const cosineFigure = { within: [0, 1], zero: true, linear: true } as const;

export const cosGradV = defineMetric({
  name: "cosGradV",
  id: "gradient-alignment",
  title: "alignment of the gradient",
  symbol: "|cos(∇f, v₁)|",
  about: "absolute cosine of the angle between the mini-batch gradient and the estimate of the top eigenvector v₁",
  eigenvector: true,
  of: ({ g, v }) => cosine(g, v),
  figure: {
    ...cosineFigure,
    title: "Alignment of the gradient",
    shows:
      "How closely the mini-batch gradient, SAM's own direction, aligns with the latest estimate of the top eigenvector v₁ (1 is parallel)",
    needs: "estimates of the top eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
  },
});

export const cosEpsV = defineMetric({
  name: "cosEpsV",
  id: "alignment",
  title: "alignment of the perturbation",
  symbol: "|cos(ε, v₁)|",
  about: "absolute cosine of the angle between the perturbation ε and the estimate of the top eigenvector v₁",
  eigenvector: true,
  of: ({ epsilon, v }) => epsilon && cosine(epsilon, v),
  figure: {
    ...cosineFigure,
    title: "Alignment of the perturbation",
    shows:
      "How closely each method's perturbation ε aligns with the latest estimate of the top eigenvector v₁ (1 is parallel)",
    needs: "a method that perturbs, with estimates of the top eigenvector",
  },
  table: "mean",
});
