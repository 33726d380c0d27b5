import { sign } from "../../graph/ops/elementwise.ts";
import { decayedStep } from "./adamw.ts";
import { type Optimizer, ratesOf, running } from "./optimizer.ts";

export const lion = {
  summary: "θ ← θ − η(sign(β₁m + (1 − β₁)g) + wd·θ); m ← β₂m + (1 − β₂)g",
  source: "Chen et al. 2023",
  slots: ["exp_avg"],
  reads: ["weightDecay", "beta1", "beta2"],
  // The authors' β. They advise a rate 3 to 10 times below AdamW's with a decay as many times above: here 10 times PyTorch's.
  defaults: { lr: 1e-4, weightDecay: 0.1, beta2: 0.99 },
  scalars: () => ({}),
  update: (args) => {
    const { theta, state, g, settings } = args;
    const { lr, weightDecay } = ratesOf(args);
    const mean = state.exp_avg!;
    const direction = sign(running(mean, g, settings.beta1));
    return {
      theta: decayedStep(theta, direction, lr, weightDecay),
      state: { exp_avg: running(mean, g, settings.beta2) },
    };
  },
} as const satisfies Optimizer;
