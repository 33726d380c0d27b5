/** The pure core: symbolic graphs, their derivatives, networks and optimizers. No I/O, no runtime. */
export { alignment, subspaceAlignment } from "./spectrum/alignment.ts";
export {
  type Density,
  type Quadrature,
  smoothedDensity,
  spectralMoment,
  spectralQuadratures,
} from "./spectrum/density.ts";
export { type EigenPair, type Extremes, extremeEigenpairs } from "./spectrum/extremes.ts";
export { type Krylov, lanczos, ritz } from "./spectrum/lanczos.ts";
export { blockOf, gathered, type SymmetricOperator } from "./spectrum/operator.ts";
export { largestEigenvalue, powerMethod } from "./spectrum/power.ts";
export { frobeniusNorm, hutchinson, hutchPlusPlus, type TraceEstimate } from "./spectrum/trace.ts";
export {
  dot,
  grad,
  gradientVectorProduct,
  hessianVectorProduct,
  pullBack,
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
export { type OpName, ops } from "./graph/ops/index.ts";
export { matmul } from "./graph/ops/matmul.ts";
export { max } from "./graph/ops/max.ts";
export { broadcastTo, sum, sumTo } from "./graph/ops/reduce.ts";
export { reshape } from "./graph/ops/reshape.ts";
export { constant, input, scalar } from "./graph/ops/source.ts";
export { stride, take } from "./graph/ops/take.ts";
export { simplify } from "./graph/simplify.ts";
export type { ConstantData, DType, FloatDType, Operand, Target, Tensor } from "./graph/tensor.ts";
export { cnn6 } from "./models/cnn6.ts";
export {
  type Activation,
  modelEntries,
  type ModelName,
  modelNames,
  type NamedModelOptions,
  namedModel,
} from "./models/index.ts";
export { mlp } from "./models/mlp.ts";
export { resnet18, resnet34, resnet50 } from "./models/resnet.ts";
export { wideResnet } from "./models/wide-resnet.ts";
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
export { batchNorm, conv, linear } from "./nn/layers.ts";
export { initialize, type Layout, pack, unflatten, unpack } from "./nn/layout.ts";
export { correct } from "./nn/accuracy.ts";
export { declare, forward, type Model, type Network, type Scope } from "./nn/scope.ts";
export { emitModel } from "./onnx/emit.ts";
export { lower } from "./onnx/lower/index.ts";
export { type AscentRule, asam, eigenSam, reverseSam, sam, usam } from "./optim/ascent.ts";
export { type Method, trainingMethodNames, trainingMethods } from "./optim/methods.ts";
export { type Optimizer, optimizerNames, optimizers } from "./optim/optimizers.ts";
export { scheduleFactor, scheduleNames, schedules } from "./optim/schedules.ts";
export { sgd } from "./optim/sgd.ts";
export {
  followSecant,
  krylovSpace,
  powerIteration,
  type Solver,
  type SolverName,
  solverNames,
  solvers,
} from "./optim/eigenvector.ts";
export { eigenSamStep, type Loss, samStep, sgdStep, trainingStep } from "./optim/steps.ts";
export { accumulated, type DriftSums, eulerMaruyama, type EulerStep } from "./sde/euler-maruyama.ts";
export { type DriftTerms, driftTerms, type Expansion, expansions, truncated } from "./sde/expansion.ts";
export { type SdeVariant, type SdeVariantName, sdeVariantNames, sdeVariants } from "./sde/variants.ts";
export * from "./util/errors.ts";
export { type Rng, rng } from "./util/rng.ts";
