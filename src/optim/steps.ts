import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import { abs, add, div, minimum, mul, sub } from "../graph/ops/elementwise.ts";
import { constant } from "../graph/ops/source.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
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
  const g = grad(loss, [theta])[0]!;
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
}

/** One step of any method over any base optimizer. */
export function trainingStep(args: TrainingStepArgs): TrainingStep {
  const { f, theta, v, method, optimizer, rho, alpha } = args;
  const loss = f(theta);
  const g = grad(loss, [theta])[0]!;
  const { direction, epsilon } = method.descend({ f, theta, g, v, rho, alpha });
  const update = optimizer.update({ ...args, g: clipped(direction, args.clip) });
  return {
    ...update,
    loss,
    gradNorm: norm(g),
    ...(args.alignment ? { cosGradV: cosine(g, v) } : {}),
    ...(args.alignment && epsilon ? { cosEpsV: cosine(epsilon, v) } : {}),
  };
}

/** x·min(1, clip/(‖x‖ + 1e-6)), as PyTorch's clip_grad_norm_. */
const clipped = (x: Tensor, clip: number): Tensor =>
  clip === 0 ? x : mul(x, minimum(1, div(clip, add(norm(x), 1e-6))));

/** |cos(x, y)|; 0 where one of them is zero. */
export const cosine = (x: Tensor, y: Tensor): Tensor => abs(dot(unit(x), unit(y)));

export interface PowerResult {
  readonly v: Tensor;
  /** Rayleigh quotient λ = vᵀHv of the last unit vector that was multiplied: the estimate of the top eigenvalue. */
  readonly eigenvalue: Tensor;
  /** ‖Hv − λv‖ / |λ| of the same vector. */
  readonly residual: Tensor;
  /** The gradient at the point, which the products share. */
  readonly g: Tensor;
}

/** `iterations` steps of v ← Hv/‖Hv‖ at one point; all products share one forward pass and one gradient. */
export function powerIteration(f: Loss, theta: Tensor, v: Tensor, iterations: number): PowerResult {
  const g = grad(f(theta), [theta])[0]!;
  let vector = v;
  let eigenvalue = constant(0, [], theta.dtype);
  let residual = constant(0, [], theta.dtype);
  for (let i = 0; i < iterations; i++) {
    const Hv = gradientVectorProduct(g, theta, vector);
    eigenvalue = dot(vector, Hv);
    if (i === iterations - 1) residual = div(norm(sub(Hv, mul(eigenvalue, vector))), abs(eigenvalue));
    vector = unit(Hv);
  }
  return { v: vector, eigenvalue, residual, g };
}
