import { dot } from "../graph/grad.ts";
import { mul } from "../graph/ops/elementwise.ts";
import { sum } from "../graph/ops/reduce.ts";
import { oneHot } from "../graph/ops/compare.ts";
import type { Tensor } from "../graph/tensor.ts";
import { correct } from "../nn/accuracy.ts";
import { crossEntropy, logSoftmax } from "../nn/functions.ts";
import { forward, type Model, vectorLength } from "../nn/scope.ts";
import { type Method, trainingMethods } from "../optim/methods.ts";
import { type Optimizer, optimizers } from "../optim/optimizers.ts";
import { type Solver, solvers } from "../optim/eigenvector.ts";
import { trainingStep } from "../optim/steps.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/compile.ts";
import type { TrainConfig } from "./config.ts";
import { type ImageFormat, normalized } from "./problem.ts";

const number = { shape: [] } as const;

export const methodOf = (config: TrainConfig): Method => trainingMethods[config.method.name];

export const solverOf = (config: TrainConfig): Solver => solvers[config.method.solver];

export const optimizerOf = (config: TrainConfig): Optimizer => optimizers[config.optimizer.name];

export const compileOptions = ({ device, threads }: TrainConfig): CompileOptions => ({
  device: device,
  ...(threads === 0 ? {} : { threads }),
});

export const batchSpec = (model: Model, format: ImageFormat) => ({
  buffers: { shape: [vectorLength(model.buffers)] },
  x: { shape: model.inputShape, dtype: format.pixels },
  y: { shape: [model.inputShape[0]!], dtype: "i32" as const },
});

/**
 * One training step as one graph: both gradients, the perturbation, the update, the running statistics (of the first
 * pass alone, so once per step) and what is recorded. State vectors are written over in place.
 */
export function compileStep(
  config: TrainConfig,
  model: Model,
  format: ImageFormat,
  { method, alignment, follow }: { readonly method: Method; readonly alignment: boolean; readonly follow: number },
): Promise<Executable> {
  const optimizer = optimizerOf(config);
  const { labelSmoothing, clip } = config.train;
  const vector = { shape: [vectorLength(model.parameters)] };
  const scalars = Object.keys(optimizer.scalars(1, config.optimizer));
  const named = <T>(names: readonly string[], value: (name: string) => T) =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  const spec = {
    theta: vector,
    v: vector,
    lr: number,
    rho: number,
    alpha: number,
    ...named(optimizer.slots, () => vector),
    ...named(scalars, () => number),
    ...batchSpec(model, format),
  };
  const build = (inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
    const { theta, buffers, x, y, v, lr, rho, alpha } = inputs as Record<keyof typeof spec, Tensor>;
    const images = normalized(x, format);
    const pass = (point: Tensor) => forward(model, images, { theta: point, buffers, training: true });
    const step = trainingStep({
      f: (point) => crossEntropy(pass(point).logits, y, { labelSmoothing }),
      theta,
      v,
      alignment,
      follow,
      method,
      optimizer,
      settings: config.optimizer,
      state: named(optimizer.slots, (slot) => inputs[slot]!),
      scalars: named(scalars, (name) => inputs[name]!),
      lr,
      rho,
      alpha,
      clip,
    });
    const { logits, buffers: nextBuffers } = pass(theta);
    const { loss, gradNorm, cosGradV, cosEpsV } = step;
    return {
      loss,
      gradNorm,
      correct: sum(correct(logits, y)),
      ...(cosGradV ? { cosGradV } : {}),
      ...(cosEpsV ? { cosEpsV } : {}),
      ...(model.buffers.size === 0 ? {} : { nextBuffers }),
      ...Object.fromEntries(optimizer.slots.map((slot) => [nextName(slot), step.state[slot]!])),
      ...(step.v ? { nextV: step.v } : {}),
      nextTheta: step.theta,
    };
  };
  const inPlace = {
    theta: "nextTheta",
    ...named(optimizer.slots, nextName),
    ...(model.buffers.size === 0 ? {} : { buffers: "nextBuffers" }),
  };
  return compile(build, spec, { ...compileOptions(config), inPlace }) as Promise<Executable>;
}

const nextName = (slot: string): string => `next_${slot}`;

/** Loss and number of right answers of one batch in inference mode; `weight` is 0 for rows that only fill it up. */
export function compileEvaluation(
  config: Pick<TrainConfig, "device" | "threads">,
  model: Model,
  format: ImageFormat,
): Promise<Executable> {
  const spec = batchSpec(model, format);
  return compile(
    ({ theta, buffers, x, y, weight }) => {
      const { logits } = forward(model, normalized(x, format), { theta, buffers, training: false });
      const logLikelihood = sum(mul(logSoftmax(logits), oneHot(y, format.classes)), [1]);
      return { loss: mul(-1, dot(logLikelihood, weight)), correct: dot(correct(logits, y), weight) };
    },
    { theta: { shape: [vectorLength(model.parameters)] }, ...spec, weight: { shape: spec.y.shape } },
    compileOptions(config as TrainConfig),
  ) as Promise<Executable>;
}
