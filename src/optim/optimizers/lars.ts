import { add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import { type Optimizer, ratesOf } from "./optimizer.ts";
import { trustRatio } from "./trust.ts";

/** The authors' η. */
const TRUST = 0.001;

/** The authors' rule. Vectors keep the plain rate, as in the code of Google's large-batch runs. */
export const lars = {
  summary: "m ← μm + ηλ(g + wd·θ), λ = c‖θₗ‖/(‖gₗ‖ + wd‖θₗ‖) for each weight l, 1 for vectors; θ ← θ − m",
  source: "You et al. 2017",
  slots: ["momentum_buffer"],
  reads: ["momentum", "weightDecay", "trustCoefficient"],
  defaults: { lr: 2, weightDecay: 5e-4, trustCoefficient: TRUST },
  scalars: () => ({}),
  update: (args) => {
    const { theta, state, g, settings, parameters } = args;
    const { lr, weightDecay } = ratesOf(args);
    const { trustCoefficient = TRUST } = settings;
    const ratio = trustRatio(parameters, theta, g, (weight, gradient, { decays }) =>
      div(mul(trustCoefficient, weight), add(gradient, mul(decays ? settings.weightDecay : 0, weight))),
    );
    const d = add(g, mul(weightDecay, theta));
    const m = add(mul(settings.momentum, state.momentum_buffer!), mul(lr, mul(ratio, d)));
    return { theta: sub(theta, m), state: { momentum_buffer: m } };
  },
} as const satisfies Optimizer;
