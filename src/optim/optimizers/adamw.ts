import { add, div, mul, sqrt, sub } from "../../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { type Optimizer, type OptimizerSettings, ratesOf, running } from "./optimizer.ts";

interface AdamArgs {
  readonly g: Tensor;
  /** Running means of g and of g². */
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly scalars: Readonly<Record<string, Tensor>>;
  readonly settings: Pick<OptimizerSettings, "beta1" | "beta2" | "eps">;
}

/** 1 − β^t, by which running means that start at zero are divided. */
export const corrections = (step: number, { beta1, beta2 }: Pick<OptimizerSettings, "beta1" | "beta2">) => ({
  correction1: 1 - beta1 ** step,
  correction2: 1 - beta2 ** step,
});

/** Adam's direction m̂/(√ŝ + eps), and the running means after this step. */
export function adam({ g, mean, square, scalars, settings: { beta1, beta2, eps } }: AdamArgs) {
  const m = running(mean, g, beta1);
  const s = running(square, mul(g, g), beta2);
  const denominator = add(sqrt(div(s, scalars.correction2!)), eps);
  return { direction: div(div(m, scalars.correction1!), denominator), m, s };
}

/** θ − η·wd·θ − η·direction: decay apart from the direction. */
export const decayedStep = (theta: Tensor, direction: Tensor, lr: Operand, weightDecay: Operand): Tensor =>
  sub(sub(theta, mul(lr, mul(weightDecay, theta))), mul(lr, direction));

export const adamw = {
  summary: "Adam with decoupled weight decay, as PyTorch's AdamW",
  source: "Loshchilov & Hutter 2019",
  slots: ["exp_avg", "exp_avg_sq"],
  reads: ["weightDecay", "beta1", "beta2", "eps"],
  // PyTorch's.
  defaults: { lr: 1e-3, weightDecay: 0.01 },
  scalars: corrections,
  update: (args) => {
    const { theta, state, g, scalars, settings } = args;
    const { lr, weightDecay } = ratesOf(args);
    const { direction, m, s } = adam({ g, mean: state.exp_avg!, square: state.exp_avg_sq!, scalars, settings });
    return { theta: decayedStep(theta, direction, lr, weightDecay), state: { exp_avg: m, exp_avg_sq: s } };
  },
} as const satisfies Optimizer;
