import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CurvatureRequest, measureProblem, STANDARD } from "../curvature/measure.ts";
import { problemFor } from "../curvature/problem.ts";
import type { CurvatureResult } from "../curvature/result.ts";
import { isSplit, type Split } from "../data/dataset.ts";
import { unpack } from "../nn/layout.ts";
import { writeReport } from "../report/index.ts";
import type { RunsReport } from "../report/paths.ts";
import { finalWeights } from "../train/average.ts";
import { inferenceModel } from "../train/export-onnx.ts";
import { type ClassRequest, type ClassScores, scoreClasses } from "../train/class-scores.ts";
import { createEvaluator } from "../train/evaluate.ts";
import type { Score } from "../train/records.ts";
import type { TrainOutcome } from "../train/loop.ts";
import { compileOptions, type Problem, rowsOf } from "../train/session.ts";
import { weightsFile } from "../train/store.ts";
import type { Weights } from "../train/weights.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { writeOutput } from "../util/files.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { type ArrayInput, type Examples, toInputs, toSplit } from "./arrays.ts";
import type { HessianChoices } from "./options.ts";

/** A flat array with its shape. */
export interface Prediction {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** A named parameter or running statistic, in PyTorch's order of elements. */
export interface NamedArray {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** What `curvature` measures; everything left out has the command's default. */
export interface CurvatureOptions extends Partial<Omit<CurvatureRequest, "slices">>, HessianChoices {
  /** Examples to measure on; left out, those that it was trained on, as the command does. */
  readonly examples?: Examples;
}

/** A trained network, and what training it gave. Arrays it returns are yours: no later call changes them. */
export interface Trained {
  /** "stopped" where the signal asked to; the weights are then those of the last step. */
  readonly status: "done" | "stopped";
  /** Mean loss and accuracy over the last complete epoch; null before one is complete. */
  readonly train: Score | null;
  /** Of the validation examples; null where there are none. */
  readonly val: Score | null;
  /** Of the test examples, with the last weights; null where there are none, or the run was stopped. */
  readonly test: Score | null;
  /** Steps taken. */
  readonly steps: number;
  /** Time spent, in seconds; sessions before a resumed one are left out. */
  readonly seconds: number;
  /** The run directory; undefined for a run in memory. */
  readonly dir: string | undefined;
  /** Parameters and running statistics by PyTorch's names, copied. */
  weights(): Record<string, NamedArray>;
  /**
   * Predictions for inputs [n, …], in the shape of the targets or as [n, outputs]: probabilities where the loss takes logits,
   * else the network's outputs. Batch norm uses its running statistics. DataError where the inputs have another shape.
   */
  predict(x: ArrayInput): Promise<Prediction>;
  /**
   * Mean loss without label smoothing, and accuracy where there are classes, on examples of your own. On request scores by class with
   * the confusion matrix, and top-k accuracy; ConfigError where there are no classes.
   */
  evaluate(examples: Examples, request?: ClassRequest): Promise<Score & ClassScores & { readonly n: number }>;
  /** Eigenvalues of the Hessian at the weights, and what else is asked for. ConfigError where there are no examples to measure on. */
  curvature(options?: CurvatureOptions): Promise<CurvatureResult>;
  /** Writes an ONNX file for inference on `batch` examples, or left out, on any number of them; returns its path. */
  export(path: string, options?: { readonly batch?: number }): Promise<string>;
  /** Writes weights where the path ends in .safetensors, else a new run directory; returns the path. ConfigError where it is not empty. */
  save(path: string): Promise<string>;
  /** Writes figures, tables and a page of the run to a folder. */
  report(out: string): Promise<RunsReport>;
  /** Frees the compiled graphs; predicting again compiles them again. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The handle of a run that has ended. */
export function trainedOf(
  problem: Problem,
  outcome: TrainOutcome,
  {
    dir,
    saveTo,
    seconds,
  }: { readonly dir: string | undefined; readonly saveTo: (run: string) => void; readonly seconds: number },
): Trained {
  const { config, task, model, batch, train } = problem;
  const { format } = task;
  const { theta, buffers } = finalWeights(outcome.state);
  const weights: Weights = { theta: theta.slice(), buffers: buffers.slice() };
  const result = outcome.status === "done" ? outcome.result : undefined;
  let evaluator = createEvaluator(task, rowsOf(problem), compileOptions(config));
  const splitOf = (examples: Examples): Split =>
    toSplit(examples, "examples", format.inputShape, format.targets, "x" in train ? train.x : train.like);
  const release = async () => {
    await evaluator.release();
    evaluator = createEvaluator(task, rowsOf(problem), compileOptions(config));
  };
  const save = async (path: string) => {
    if (path.endsWith(".safetensors")) writeOutput(path, weightsFile(problem, weights));
    else saveTo(path);
    return path;
  };
  return {
    status: outcome.status,
    train: outcome.last?.train ?? null,
    val: outcome.last?.val ?? null,
    test: result?.test ?? null,
    steps: outcome.state.step,
    seconds,
    dir,
    weights: () => {
      const named = (layout: typeof model.parameters, flat: Float32Array) => {
        const arrays = unpack(layout, flat);
        return layout.entries.map(({ name, shape }) => [name, { data: arrays[name]!, shape }] as const);
      };
      return Object.fromEntries([...named(model.parameters, weights.theta), ...named(model.buffers, weights.buffers)]);
    },
    predict: async (given) => {
      const x = toInputs(given, "x");
      if (x.shape.slice(1).join() !== format.inputShape.join())
        throw new DataError(
          `x has shape [${x.shape.join(", ")}], expected [n${["", ...format.inputShape].join(", ")}]`,
          { shape: x.shape },
          "the first axis counts the examples",
        );
      const count = x.shape[0]!;
      const data = await evaluator.predict(weights, x.data, count);
      const [each, { targets }] = [data.length / count, format];
      const likeTargets = targets.kind === "values" && sizeOf(targets.shape) === each;
      const perLabel = targets.kind === "labels" && targets.shape !== undefined;
      return {
        data,
        shape: [count, ...(likeTargets ? targets.shape : perLabel ? model.outputShape.slice(1) : [each])],
      };
    },
    evaluate: async (examples, request = {}) => {
      const split = splitOf(examples);
      const score = await evaluator.score(weights, split);
      return { ...score, n: split.count, ...(await scoreClasses(task, evaluator, weights, split, request)) };
    },
    curvature: async ({ examples, batches, order = "random", bn = "batch", dtype = "f32", ...request } = {}) => {
      const split = examples ? splitOf(examples) : isSplit(train) ? train : undefined;
      if (split === undefined)
        throw new ConfigError(
          "the training examples came in batches and were not kept",
          {},
          "give curvature({ examples })",
        );
      const name = examples ? "examples given" : `${problem.dataset.name} (train)`;
      const { seed = STANDARD.seed } = request;
      const measured = { config, task, weights, split, name, batch, batches, order, seed, bn, dtype };
      return measureProblem(problemFor(measured), request);
    },
    export: async (path, { batch: rows } = {}) => {
      writeOutput(path, inferenceModel(task, weights, rows));
      return path;
    },
    save,
    report: async (out) => {
      if (dir !== undefined) return writeReport([dir], out);
      const folder = mkdtempSync(join(tmpdir(), "eigensam-"));
      try {
        saveTo(join(folder, "run"));
        return await writeReport([join(folder, "run")], out);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}
