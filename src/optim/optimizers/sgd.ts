import { sgd as step } from "../sgd.ts";
import { type Optimizer, ratesOf } from "./optimizer.ts";

export const sgd = {
  summary: "d = g + wd·θ; m ← μm + d; θ ← θ − η·m (Nesterov: d + μm), as PyTorch's SGD",
  source: "Polyak 1964; Sutskever et al. 2013",
  slots: ["momentum_buffer"],
  reads: ["momentum", "nesterov", "weightDecay"],
  defaults: { lr: 0.1, weightDecay: 5e-4 },
  scalars: () => ({}),
  update: (args) => {
    const { theta, state, g, settings } = args;
    const { momentum: mu, nesterov } = settings;
    const next = step({ theta, momentum: state.momentum_buffer!, g, ...ratesOf(args), mu, nesterov });
    return { theta: next.theta, state: { momentum_buffer: next.momentum } };
  },
} as const satisfies Optimizer;
