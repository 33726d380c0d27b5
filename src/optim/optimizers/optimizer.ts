import { add, mul } from "../../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { type Parameter, type ParameterSettings, spread } from "../parameters.ts";

/** The settings of all base optimizers; each reads its own. */
export interface OptimizerSettings extends ParameterSettings {
  /** μ of SGD, LARS and Muon, in [0, 1). */
  readonly momentum: number;
  /** Nesterov's form of SGD's momentum. */
  readonly nesterov: boolean;
  /** Coupled in SGD and LARS, decoupled in the others. */
  readonly weightDecay: number;
  /** Decay of the mean of gradients, in [0, 1). */
  readonly beta1: number;
  /** Decay of the mean of squared gradients, in [0, 1). */
  readonly beta2: number;
  /** Added to the denominator of AdamW and LAMB. */
  readonly eps: number;
  /** Length of LARS's step as a part of the length of a weight, at learning rate 1; left out, its default. */
  readonly trustCoefficient?: number | undefined;
  /** Learning rate of what Muon leaves to AdamW, as a factor of Muon's; left out, its default. */
  readonly vectorRate?: number | undefined;
}

/** What an optimizer takes where nothing is given. */
export type OptimizerDefaults = { readonly lr: number } & Partial<
  Pick<OptimizerSettings, "momentum" | "weightDecay" | "beta1" | "beta2" | "eps" | "trustCoefficient" | "vectorRate">
>;

export interface UpdateArgs {
  readonly theta: Tensor;
  /** State vectors by name, as long as θ, all zero at the start. */
  readonly state: Readonly<Record<string, Tensor>>;
  readonly g: Tensor;
  readonly lr: Operand;
  /** The numbers of `scalars` at this step. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  readonly settings: OptimizerSettings;
  /** What θ consists of. */
  readonly parameters: readonly Parameter[];
}

export interface Update {
  readonly theta: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
}

/** How a descent direction moves θ. */
export interface Optimizer {
  /** One line: the formula. */
  readonly summary: string;
  readonly source?: string;
  /** Names of its state vectors, PyTorch's. */
  readonly slots: readonly string[];
  /** The settings that it reads besides those by which parameters are treated apart. */
  readonly reads: readonly (keyof OptimizerSettings)[];
  /** What it takes where nothing is given. */
  readonly defaults: OptimizerDefaults;
  /** Numbers that change from step to step, from the count of steps (1 in the first). */
  scalars(step: number, settings: OptimizerSettings): Readonly<Record<string, number>>;
  update(args: UpdateArgs): Update;
}

/** Learning rate and weight decay of every number of θ: numbers where all parameters agree, else vectors [d]. */
export function ratesOf({ theta, lr, settings: { weightDecay }, parameters }: UpdateArgs): {
  readonly lr: Operand;
  readonly weightDecay: Operand;
} {
  const rate = spread(parameters, theta, (parameter) => parameter.rate);
  return {
    lr: rate === 1 ? lr : typeof rate === "number" ? times(lr, rate) : mul(rate, lr),
    weightDecay: weightDecay === 0 ? 0 : spread(parameters, theta, ({ decays }) => (decays ? weightDecay : 0)),
  };
}

/** A rate times a fixed number. */
export const times = (lr: Operand, factor: number): Operand => (typeof lr === "number" ? lr * factor : mul(lr, factor));

/** βm + (1 − β)x: a running mean m that takes in x. */
export const running = (m: Tensor, x: Tensor, beta: number): Tensor => add(mul(beta, m), mul(1 - beta, x));
