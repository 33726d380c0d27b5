import { add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import { adam, corrections } from "./adamw.ts";
import { type Optimizer, ratesOf } from "./optimizer.ts";
import { trustRatio } from "./trust.ts";

/** The paper's algorithm 2 with φ the identity. Vectors keep the plain rate, as in the authors' code for BERT. */
export const lamb = {
  summary: "r = m̂/(√ŝ + eps) + wd·θ; θ ← θ − η(‖θₗ‖/‖rₗ‖)r for each weight l, θ − ηr for vectors; m, s as Adam's",
  source: "You et al. 2020",
  slots: ["exp_avg", "exp_avg_sq"],
  reads: ["weightDecay", "beta1", "beta2", "eps"],
  // The paper's β, eps, decay, and its rate for ResNet-50 with batches of 512.
  defaults: { lr: 5e-3, weightDecay: 0.01, eps: 1e-6 },
  scalars: corrections,
  update: (args) => {
    const { theta, state, g, scalars, settings, parameters } = args;
    const { lr, weightDecay } = ratesOf(args);
    const { direction, m, s } = adam({ g, mean: state.exp_avg!, square: state.exp_avg_sq!, scalars, settings });
    const r = add(direction, mul(weightDecay, theta));
    const ratio = trustRatio(parameters, theta, r, (weight, length) => div(weight, length));
    return { theta: sub(theta, mul(lr, mul(ratio, r))), state: { exp_avg: m, exp_avg_sq: s } };
  },
} as const satisfies Optimizer;
