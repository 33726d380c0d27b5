/** What one builds with: tensors and their derivatives, networks, losses, methods and optimizers, and declarations of one's own. Pure: no I/O, no runtime. */
export type { Dataset, Split } from "./data/dataset.ts";
export { type DatasetEntry, defineDataset } from "./data/entry.ts";
export {
  dot,
  grad,
  gradientVectorProduct,
  hessianVectorProduct,
  thirdOrderContraction,
} from "./graph/grad.ts";
export { concat, pad, slice, split, transpose } from "./graph/ops/arrange.ts";
export { cast, equal, greater, greaterEqual, oneHot, where } from "./graph/ops/compare.ts";
export { conv2d } from "./graph/ops/conv.ts";
export {
  abs,
  add,
  div,
  erf,
  exp,
  heaviside,
  log,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sqrt,
  stopGradient,
  sub,
  tanh,
} from "./graph/ops/elementwise.ts";
export { gather } from "./graph/ops/gather.ts";
export { matmul } from "./graph/ops/matmul.ts";
export { max } from "./graph/ops/max.ts";
export { broadcastTo, sum } from "./graph/ops/reduce.ts";
export { reshape } from "./graph/ops/reshape.ts";
export { constant, input, scalar } from "./graph/ops/source.ts";
export { take } from "./graph/ops/take.ts";
export type { ConstantData, DType, FloatDType, Operand, Tensor } from "./graph/tensor.ts";
export { cnn6 } from "./models/cnn6.ts";
export { decoder } from "./models/decoder.ts";
export { type Activation, defineModel, type ModelEntry, type ModelOptions } from "./models/entry.ts";
export { modelEntries, type ModelName, modelNames, namedModel } from "./models/index.ts";
export { mlp } from "./models/mlp.ts";
export { resnet18, resnet34, resnet50 } from "./models/resnet.ts";
export { vit } from "./models/vit.ts";
export { wideResnet } from "./models/wide-resnet.ts";
export { dropout, stochasticDepth } from "./nn/dropout.ts";
export {
  avgPool2d,
  crossEntropy,
  gelu,
  layerNorm,
  logSoftmax,
  maxPool2d,
  mean,
  silu,
  softmax,
  standardize,
} from "./nn/functions.ts";
export { fromNchw } from "./nn/images.ts";
export { type InitName, initNames } from "./nn/init.ts";
export { resizeImages } from "./nn/resize.ts";
export { batchNorm, conv, embedding, linear } from "./nn/layers.ts";
export {
  defineLoss,
  type LossFunction,
  type LossName,
  lossNames,
  type LossRule,
  losses,
  type Targets,
} from "./nn/losses.ts";
export type { Network, Scope } from "./nn/scope.ts";
export { attention, encoderBlock, layerNormalization, selfAttention } from "./nn/transformer.ts";
export { type SolverName, solverNames, solvers } from "./optim/eigenvector.ts";
export { fraction, type Hyper, radius, real } from "./optim/hyper.ts";
export { defineMethod, gradAt, type Method, type MethodDefinition, zeros } from "./optim/method.ts";
export { type TrainingMethodName, trainingMethodNames, trainingMethods } from "./optim/methods/index.ts";
export { stepMetrics } from "./optim/metrics/index.ts";
export { defineMetric, type StepMetric, type StepPoint } from "./optim/metrics/metric.ts";
export { type Optimizer, optimizerNames, optimizers } from "./optim/optimizers.ts";
export { type Parameter, parametersOf } from "./optim/parameters.ts";
export type { Loss, Point } from "./optim/point.ts";
export { scheduleFactor, scheduleNames, schedules } from "./optim/schedules.ts";
export { type TrainingStep, type TrainingStepArgs, trainingStep } from "./optim/training-step.ts";
export { cosine, mix, norm, reject, turned, unit } from "./optim/vector.ts";
export * from "./util/errors.ts";
export { type Rng, rng } from "./util/rng.ts";
