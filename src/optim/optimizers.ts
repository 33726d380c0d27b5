import { add, div, mul, sqrt, sub } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { sgd } from "./sgd.ts";
import { namesOf } from "../util/names.ts";

/** The settings of all base optimizers; each reads its own. */
export interface OptimizerSettings {
  /** μ of SGD, in [0, 1). */
  readonly momentum: number;
  /** Nesterov's form of momentum. */
  readonly nesterov: boolean;
  /** Coupled in SGD, decoupled in AdamW. */
  readonly weightDecay: number;
  /** Decay of AdamW's mean of gradients, in [0, 1). */
  readonly beta1: number;
  /** Decay of AdamW's mean of squared gradients, in [0, 1). */
  readonly beta2: number;
  /** Added to AdamW's denominator. */
  readonly eps: number;
}

export interface UpdateArgs {
  readonly theta: Tensor;
  /** State vectors by name, as long as θ, all zero at the start. */
  readonly state: Readonly<Record<string, Tensor>>;
  readonly g: Tensor;
  readonly lr: Operand;
  /** The numbers of `scalars` at this step. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  readonly settings: OptimizerSettings;
}

export interface Update {
  readonly theta: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
}

/** How a descent direction moves θ. */
export interface Optimizer {
  /** One line: the formula. */
  readonly summary: string;
  /** Names of its state vectors, PyTorch's. */
  readonly slots: readonly string[];
  /** The settings that it reads. */
  readonly reads: readonly (keyof OptimizerSettings)[];
  /** What it takes where nothing is given. */
  readonly defaults: { readonly lr: number; readonly weightDecay: number };
  /** Numbers that change from step to step, from the count of steps (1 in the first). */
  scalars(step: number, settings: OptimizerSettings): Readonly<Record<string, number>>;
  update(args: UpdateArgs): Update;
}

/** The base optimizers; a new one is one entry. */
export const optimizers = {
  sgd: {
    summary: "d = g + wd·θ; m ← μm + d; θ ← θ − η·m (Nesterov: d + μm), as PyTorch's SGD",
    slots: ["momentum_buffer"],
    reads: ["momentum", "nesterov", "weightDecay"],
    defaults: { lr: 0.1, weightDecay: 5e-4 },
    scalars: () => ({}),
    update: ({ theta, state, g, lr, settings }) => {
      const { momentum: mu, nesterov, weightDecay } = settings;
      const next = sgd({ theta, momentum: state.momentum_buffer!, g, lr, mu, weightDecay, nesterov });
      return { theta: next.theta, state: { momentum_buffer: next.momentum } };
    },
  },
  adamw: {
    summary: "Adam with decoupled weight decay (Loshchilov & Hutter 2019), as PyTorch's AdamW",
    slots: ["exp_avg", "exp_avg_sq"],
    reads: ["weightDecay", "beta1", "beta2", "eps"],
    // PyTorch's.
    defaults: { lr: 1e-3, weightDecay: 0.01 },
    scalars: (step, { beta1, beta2 }) => ({ correction1: 1 - beta1 ** step, correction2: 1 - beta2 ** step }),
    update: ({ theta, state, g, lr, scalars, settings: { weightDecay, beta1, beta2, eps } }) => {
      const m = add(mul(beta1, state.exp_avg!), mul(1 - beta1, g));
      const s = add(mul(beta2, state.exp_avg_sq!), mul(1 - beta2, mul(g, g)));
      const denominator = add(sqrt(div(s, scalars.correction2!)), eps);
      const decayed = sub(theta, mul(lr, mul(weightDecay, theta)));
      return {
        theta: sub(decayed, mul(lr, div(div(m, scalars.correction1!), denominator))),
        state: { exp_avg: m, exp_avg_sq: s },
      };
    },
  },
} as const satisfies Readonly<Record<string, Optimizer>>;

export type OptimizerName = keyof typeof optimizers;

/** The names of the base optimizers. */
export const optimizerNames = namesOf(optimizers);
