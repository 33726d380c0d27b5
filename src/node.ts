/** The core with onnxruntime-node: compile a function of tensors and run it on arrays. */
export * from "./index.ts";
export { type BatchNormMode, type EmpiricalLoss, empiricalLoss, type LossArgs } from "./curvature/hessian.ts";
export {
  type CompileOptions,
  type CompileStats,
  compile,
  type Executable,
  type InputSpec,
} from "./runtime/compile.ts";
export { type Convolution, type Device, defaultThreads, devices } from "./runtime/device.ts";
export { availableProviders, ortVersion } from "./runtime/node-session.ts";
export type { NodeTime, Port, Session, SessionFactory, TypedArray } from "./runtime/session.ts";
export type { RunOptions } from "./runtime/runner.ts";
