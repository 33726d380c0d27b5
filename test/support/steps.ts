import type { Operand, Tensor } from "../../src/graph/tensor.ts";
import type { Method } from "../../src/optim/method.ts";
import { trainingMethods } from "../../src/optim/methods/index.ts";
import { stepMetrics } from "../../src/optim/metrics/index.ts";
import { optimizers } from "../../src/optim/optimizers.ts";
import type { Loss } from "../../src/optim/point.ts";
import { trainingStep } from "../../src/optim/training-step.ts";

export interface StepHyper {
  readonly lr: Operand;
  readonly mu: number;
  readonly weightDecay: number;
  readonly rho: Operand;
  readonly alpha: Operand;
}

interface OptimizerState {
  readonly theta: Tensor;
  readonly momentum: Tensor;
}

/** One step of a method over SGD with momentum and coupled weight decay. */
const stepWith =
  (method: Method) =>
  (f: Loss, { theta, momentum }: OptimizerState, v: Tensor, { lr, mu, weightDecay, rho, alpha }: StepHyper) => {
    const step = trainingStep({
      f,
      theta,
      v,
      method,
      values: { rho, alpha },
      optimizer: optimizers.sgd,
      settings: { momentum: mu, nesterov: false, weightDecay, beta1: 0.9, beta2: 0.999, eps: 1e-8 },
      slots: { momentum_buffer: momentum },
      scalars: {},
      lr,
      metrics: [stepMetrics.gradNorm],
    });
    return {
      theta: step.theta,
      momentum: step.slots.momentum_buffer!,
      loss: step.loss,
      gradNorm: step.metrics.gradNorm!,
    };
  };

const { sgd, sam, "eigen-sam": eigenSam } = trainingMethods;
export const sgdStep = (f: Loss, state: OptimizerState, hyper: StepHyper) =>
  stepWith(sgd)(f, state, state.theta, hyper);
export const samStep = (f: Loss, state: OptimizerState, hyper: StepHyper) =>
  stepWith(sam)(f, state, state.theta, hyper);
export const eigenSamStep = stepWith(eigenSam);
