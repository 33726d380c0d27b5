import { cosine } from "../vector.ts";
import { defineMetric } from "./metric.ts";

const cosineFigure = { within: [0, 1], zero: true, linear: true } as const;

export const cosGradV = defineMetric({
  name: "cosGradV",
  title: "Alignment of the gradient",
  symbol: "|cos(∇f, v₁)|",
  about: "|cos| between the mini-batch gradient and the latest estimate of the top eigenvector",
  eigenvector: true,
  of: ({ g, v }) => cosine(g, v),
  figure: {
    title: "Alignment of the gradient",
    shows:
      "How well the mini-batch gradient, SAM's own direction, points along the latest estimate of the top eigenvector v₁",
    needs: "estimates of the top eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
    ...cosineFigure,
  },
});

export const cosEpsV = defineMetric({
  name: "cosEpsV",
  title: "Alignment of the perturbation",
  symbol: "|cos(ε, v₁)|",
  about: "|cos| between the perturbation and the latest estimate of the top eigenvector",
  eigenvector: true,
  of: ({ epsilon, v }) => epsilon && cosine(epsilon, v),
  figure: {
    title: "Alignment of the perturbation",
    shows: "How well each method's perturbation ε points along the latest estimate of the top eigenvector v₁",
    needs: "a method that perturbs, with estimates of the top eigenvector",
    ...cosineFigure,
  },
});
