import { dot, grad } from "../graph/grad.ts";
import { abs, add, div, minimum, mul, sub } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { followSecant } from "./eigenvector.ts";
import { type Loss, type Method, trainingMethods } from "./methods.ts";
import type { Optimizer, OptimizerSettings } from "./optimizers.ts";
import { sgd } from "./sgd.ts";
import { norm, unit } from "./vector.ts";

export type { Loss } from "./methods.ts";

/** What a step carries from one batch to the next. */
export interface OptimizerState {
  readonly theta: Tensor;
  readonly momentum: Tensor;
}

export interface StepHyper {
  readonly lr: Operand;
  readonly mu: Operand;
  readonly weightDecay: Operand;
  readonly rho: Operand;
  readonly alpha: Operand;
}

export interface StepResult extends OptimizerState {
  /** The loss at θ, before the step. */
  readonly loss: Tensor;
  readonly gradNorm: Tensor;
}

/** One step of a method over SGD with momentum and coupled weight decay. */
function sgdWith(method: Method, f: Loss, state: OptimizerState, v: Tensor, hyper: StepHyper): StepResult {
  const { theta } = state;
  const loss = f(theta);
  const g = grad(loss, theta);
  const { direction } = method.descend({ f, theta, g, v, rho: hyper.rho, alpha: hyper.alpha });
  return { ...sgd({ ...state, ...hyper, g: direction }), loss, gradNorm: norm(g) };
}

export const sgdStep = (f: Loss, state: OptimizerState, hyper: StepHyper): StepResult =>
  sgdWith(trainingMethods.sgd, f, state, state.theta, hyper);

export const samStep = (f: Loss, state: OptimizerState, hyper: StepHyper): StepResult =>
  sgdWith(trainingMethods.sam, f, state, state.theta, hyper);

export const eigenSamStep = (f: Loss, state: OptimizerState, v: Tensor, hyper: StepHyper): StepResult =>
  sgdWith(trainingMethods["eigen-sam"], f, state, v, hyper);

export interface TrainingStepArgs {
  readonly f: Loss;
  readonly theta: Tensor;
  readonly v: Tensor;
  /** Record |cos(g,v)| and |cos(ε,v)|. */
  readonly alignment: boolean;
  /** Part of v that the secant of this step replaces; 0 leaves v alone. */
  readonly follow: number;
  readonly method: Method;
  readonly optimizer: Optimizer;
  readonly settings: OptimizerSettings;
  readonly state: Readonly<Record<string, Tensor>>;
  readonly scalars: Readonly<Record<string, Tensor>>;
  readonly lr: Operand;
  readonly rho: Operand;
  readonly alpha: Operand;
  /** The descent direction is shortened to this norm; 0 leaves it alone. */
  readonly clip: number;
}

export interface TrainingStep {
  readonly theta: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
  readonly loss: Tensor;
  readonly gradNorm: Tensor;
  readonly cosGradV?: Tensor;
  readonly cosEpsV?: Tensor;
  /** v after the step, where it follows the secant. */
  readonly v?: Tensor;
}

/** One step of any method over any base optimizer. */
export function trainingStep(args: TrainingStepArgs): TrainingStep {
  const { f, theta, v, method, optimizer, rho, alpha } = args;
  const loss = f(theta);
  const g = grad(loss, theta);
  const { direction, epsilon } = method.descend({ f, theta, g, v, rho, alpha });
  const update = optimizer.update({ ...args, g: clipped(direction, args.clip) });
  return {
    ...update,
    loss,
    gradNorm: norm(g),
    ...(args.alignment ? { cosGradV: cosine(g, v) } : {}),
    ...(args.alignment && epsilon ? { cosEpsV: cosine(epsilon, v) } : {}),
    ...(args.follow > 0 ? { v: followSecant(v, sub(direction, g), args.follow) } : {}),
  };
}

/** x·min(1, clip/(‖x‖ + 1e-6)), as PyTorch's clip_grad_norm_. */
const clipped = (x: Tensor, clip: number): Tensor =>
  clip === 0 ? x : mul(x, minimum(1, div(clip, add(norm(x), 1e-6))));

/** |cos(x, y)|; 0 where one of them is zero. */
export const cosine = (x: Tensor, y: Tensor): Tensor => abs(dot(unit(x), unit(y)));
