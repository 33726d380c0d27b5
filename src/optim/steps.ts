import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import { add } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { type AscentRule, eigenSam, sam } from "./ascent.ts";
import { sgd } from "./sgd.ts";
import { norm, unit } from "./vector.ts";

/** The mini-batch loss as a function of the flat parameters. */
export type Loss = (theta: Tensor) => Tensor;

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

/** One step of plain SGD. */
export function sgdStep(f: Loss, state: OptimizerState, hyper: StepHyper): StepResult {
  const loss = f(state.theta);
  const g = grad(loss, [state.theta])[0]!;
  return { ...sgd({ ...state, ...hyper, g }), loss, gradNorm: norm(g) };
}

/** SAM and its kin: the gradient at θ gives ε by `rule`, and the gradient at θ + ε is the one descended. */
export function ascentStep(rule: AscentRule, f: Loss, state: OptimizerState, v: Tensor, hyper: StepHyper): StepResult {
  const { theta } = state;
  const loss = f(theta);
  const g = grad(loss, [theta])[0]!;
  const perturbed = add(theta, rule({ g, v, rho: hyper.rho, alpha: hyper.alpha }));
  const descent = gradAt(f, perturbed);
  return { ...sgd({ ...state, ...hyper, g: descent }), loss, gradNorm: norm(g) };
}

export const samStep = (f: Loss, state: OptimizerState, hyper: StepHyper): StepResult =>
  ascentStep(sam, f, state, state.theta, hyper);

export const eigenSamStep = (f: Loss, state: OptimizerState, v: Tensor, hyper: StepHyper): StepResult =>
  ascentStep(eigenSam, f, state, v, hyper);

/** ∇f at a point that is itself computed. */
const gradAt = (f: Loss, point: Tensor): Tensor => grad(f(point), [point])[0]!;

export interface PowerResult {
  readonly v: Tensor;
  /** Rayleigh quotient vᵀHv of the last vector that was multiplied: the estimate of the top eigenvalue. */
  readonly eigenvalue: Tensor;
}

/** `iterations` steps of v ← Hv/‖Hv‖ at one point; all products share one forward pass and one gradient. */
export function powerIteration(f: Loss, theta: Tensor, v: Tensor, iterations: number): PowerResult {
  const g = grad(f(theta), [theta])[0]!;
  let vector = v;
  let eigenvalue = dot(v, v);
  for (let i = 0; i < iterations; i++) {
    const Hv = gradientVectorProduct(g, theta, vector);
    eigenvalue = dot(vector, Hv);
    vector = unit(Hv);
  }
  return { v: vector, eigenvalue };
}
