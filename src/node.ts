/** Everything of `eigensam`, with ONNX Runtime, files and training: train, measure, report, and compile functions of tensors. */
export type { ArrayInput, DataInput, Examples, NestedNumbers, ShapedArray } from "./api/arrays.ts";
export {
  type BatchArray,
  type DensityOptions,
  type EigenpairOptions,
  type Eigenpairs,
  eigenpairs,
  type Hessian,
  type HessianOptions,
  hessianOf,
  spectralDensity,
} from "./api/curvature.ts";
export { loadRun, type RunParts } from "./api/load-run.ts";
export { type MeasureOptions, measureCurvature } from "./api/measure.ts";
export type {
  CsvData,
  FolderData,
  EigenvectorOptions,
  ModelChoice,
  NamedMethod,
  PhaseOptions,
  RadiusOptions,
  TrainOptions,
  UsedMethod,
} from "./api/options.ts";
export {
  runSweep,
  type SweepHooks,
  type SweepOptions,
  type SweepRange,
  type SweepResults,
  type SweepTrialResult,
  type Varied,
} from "./api/sweep.ts";
export { type CompiledStep, compileStep, type StepOptions } from "./api/step.ts";
export { train, type TrainHooks, type TrainingRun } from "./api/train.ts";
export { readWeights, writeWeights } from "./api/weights-files.ts";
export type { CurvatureOptions, NamedArray, Prediction, Trained } from "./api/trained.ts";
export type { CurvatureResult } from "./curvature/result.ts";
export type { ImageDataset } from "./data/dataset.ts";
export { type DatasetName, datasetNames, loadDataset } from "./data/index.ts";
export * from "./index.ts";
export { writeReport } from "./report/index.ts";
export type { Report, RequestedTables, RunsReport } from "./report/paths.ts";
export { type CompileOptions, type CompileStats, compile, type Executable, type InputSpec } from "./runtime/compile.ts";
export { type Convolution, type Device, defaultThreads, devices } from "./runtime/device.ts";
export { availableProviders, ortVersion } from "./runtime/node-session.ts";
export type { RunOptions } from "./runtime/runner.ts";
export type { NodeTime, TypedArray } from "./runtime/session.ts";
export type { SymmetricOperator } from "./spectrum/operator.ts";
export type { ClassRequest, ClassScore, ClassScores } from "./train/class-scores.ts";
export type { TrainEvent } from "./train/events.ts";
export type { TrainState } from "./train/state.ts";
