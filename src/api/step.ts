import type { Batch } from "../data/dataset.ts";
import type { Targets } from "../nn/losses.ts";
import type { InitName } from "../nn/init.ts";
import type { Model, Network } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import { methodOf, type TrainConfig } from "../train/config.ts";
import { microOf } from "../train/micro.ts";
import type { RefreshMetrics } from "../train/refresh.ts";
import { builtIn, extended } from "../train/registry.ts";
import { stepperSettings } from "../train/session.ts";
import { initialState, type TrainState } from "../train/state.ts";
import { createStepper, type StepNumbers } from "../train/stepper.ts";
import { modelFor, taskOf } from "../train/task.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { type Shape, showShape } from "../util/shape.ts";
import { wrongLabel } from "./arrays.ts";
import type { StepChoices } from "./options.ts";
import { assertKeys, CUSTOM, networkEntry, settingsOf, stepEntries } from "./resolve-options.ts";

/** Shape of an array, and its dtype where it is not the usual one. */
export type InputShape = Shape | { readonly shape: Shape; readonly dtype: "f32" | "i32" };

/** A network, its mini-batches, and how it is trained on them. */
export interface StepOptions<M extends Method = Method> extends StepChoices<M> {
  readonly network: Network;
  /** Shapes of one mini-batch, the number of examples first. y is i32 [n], or [n, length], for labels, else f32. */
  readonly inputs: { readonly x: InputShape; readonly y: InputShape };
  /** How many classes there are; needed for labels, and only for them. */
  readonly classes?: number;
}

/** The numbers of one step: its loss at θ, and what the step metrics found. */
export interface StepNumbersFound {
  readonly loss: number;
  /** Part of the mini-batch that is classified correctly, where there are classes. */
  readonly accuracy?: number;
  readonly gradNorm: number;
  readonly [metric: string]: number | undefined;
}

/** A method over an optimizer, compiled for mini-batches of one shape: for a training loop of one's own. */
export interface CompiledStep {
  /** Names, shapes and places of the parameters in θ. */
  readonly model: Model;
  /** The state before the first step, a function of the seed (1) and of how weights start ("default"). */
  init(options?: { readonly seed?: number; readonly init?: InitName }): TrainState;
  /** Whether v should be estimated before the next step; always false for methods without v. */
  refreshDue(state: TrainState): boolean;
  /** Estimates v on one mini-batch. Writes over the state's arrays and returns the state. */
  refresh(state: TrainState, batch: Batch): Promise<TrainState>;
  /** What the last `refresh` measured: λ₁ with its residual. */
  readonly measured: RefreshMetrics | undefined;
  /** One step. Writes over the state's arrays and returns the state, with numbers that are yours to keep. */
  run(
    state: TrainState,
    batch: Batch,
    numbers: StepNumbers,
  ): Promise<{ readonly state: TrainState; readonly metrics: StepNumbersFound }>;
  /** Frees the compiled graphs. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const KEYS = [
  ...["network", "inputs", "classes", "loss", "method", "optimizer", "labelSmoothing", "clip", "device", "threads"],
  ...["metrics", "freeze"],
];

/** Labels, where the loss, `classes` or the dtype says so. ConfigError where shapes do not fit, or it is not said. */
function targetsOf<M extends Method>({ loss, classes, inputs }: StepOptions<M>, x: Shape, y: Shape): Targets {
  const integers = "dtype" in inputs.y && inputs.y.dtype === "i32";
  const labels =
    loss === "cross-entropy" || classes !== undefined || integers || (loss === undefined && y.length === 1);
  if (x[0] === undefined || x[0] !== y[0])
    throw new ConfigError(
      `compileStep: inputs are x ${showShape(x)} and y ${showShape(y)}`,
      { x, y },
      "the first axis of both counts the examples",
    );
  if (!labels) return { kind: "values", shape: y.slice(1) };
  if (classes === undefined)
    throw new ConfigError("compileStep: targets are labels, and classes is not given", {}, "give classes: 10, say");
  return { kind: "labels", classes, ...(y.length > 1 ? { shape: y.slice(1) } : {}) };
}

function assertLabels(y: Batch["y"], targets: Targets): void {
  const wrong = targets.kind === "labels" ? wrongLabel(y, targets.classes) : -1;
  if (targets.kind === "labels" && wrong >= 0)
    throw new DataError(`y: element ${wrong} is ${y[wrong]}, expected a label 0 … ${targets.classes - 1}`, {
      at: wrong,
    });
}

/** Throws where a setting counts in epochs. */
function assertWithoutEpochs({ rhoWarmup, from }: TrainConfig["method"]): void {
  const refuse = (key: string, value: number, hint: string) => {
    throw new ConfigError(
      `compileStep: method.${key} is ${value}, but a step alone knows no epochs`,
      { [key]: value },
      hint,
    );
  };
  if (rhoWarmup !== undefined)
    refuse("rhoWarmup", rhoWarmup, "give each step its radius: run(state, batch, { lr, hyper: { rho } })");
  if (from !== undefined) refuse("from", from, "take the steps before it by a compiled step of sgd");
}

const shapeOf = (given: InputShape): Shape => ("shape" in given ? given.shape : given);

/**
 * Compiles one training step (forward, backward, perturbation, update) for a loop of your own.
 * Batches are typed arrays: x [n, …], and y [n] labels (Int32Array) or [n, …] values (Float32Array); they are only
 * read. A step writes over the arrays of its state: copy them to keep a moment. Nothing is written to disk. `threads`
 * of ONNX Runtime work (one per core) while the calling thread waits. `release` or `await using` frees the graphs.
 *
 * @throws ConfigError where an option is unknown or out of range
 * @throws ShapeError where network, inputs and loss do not fit
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), x, 1);
 * const step = await compileStep({ network, inputs: { x: [2, 1], y: [2, 1] }, loss: "mse", method: "sam" });
 * const state = step.init({ seed: 1 });
 * const batch = { x: Float32Array.of(0, 1), y: Float32Array.of(1, 3) };
 * for (let t = 0; t < 200; t++) await step.run(state, batch, { lr: 0.05, hyper: { rho: 0 } });
 * console.log(Math.round(state.theta[0] ?? 0), state.step); // 2 200
 * await step.release();
 * ```
 */
export async function compileStep<M extends Method = Method>(options: StepOptions<M>): Promise<CompiledStep> {
  assertKeys(options, KEYS, "compileStep");
  const [x, y] = [shapeOf(options.inputs.x), shapeOf(options.inputs.y)];
  const targets = targetsOf(options, x, y);
  const { declared, table } = stepEntries(options, targets);
  const registry = extended(builtIn, [...declared, networkEntry(options.network)]);
  const config = settingsOf({ ...table, model: { ...table.model, name: CUSTOM } }, registry, "compileStep");
  assertWithoutEpochs(config.method);
  const method = methodOf(config, registry);
  const dtype = "dtype" in options.inputs.x ? options.inputs.x.dtype : "f32";
  const task = taskOf(config, registry, { inputShape: x.slice(1), targets, mean: [], std: [], dtype });
  const rows = x[0]!;
  const micro = microOf(config, method, rows);
  const model = modelFor(task, rows / micro.count);
  const settings = stepperSettings(config, method);
  const stepper = await createStepper({ ...settings, task, model, micro, metrics: Object.values(registry.metrics) });
  let measured: RefreshMetrics | undefined;
  return {
    model,
    init: ({ seed = 1, init } = {}) => initialState(model, settings.optimizer, method, seed, init),
    refreshDue: (state) => stepper.refreshDue(state, state.step),
    refresh: async (state, batch) => {
      assertLabels(batch.y, targets);
      measured = await stepper.refresh(state, batch);
      return state;
    },
    get measured() {
      return measured;
    },
    run: async (state, batch, numbers) => {
      assertLabels(batch.y, targets);
      const { loss, correct, metrics } = await stepper.step(state, batch, numbers);
      const { gradNorm = Number.NaN } = metrics;
      const accuracy = correct === undefined ? {} : { accuracy: correct / rows };
      return { state, metrics: { ...metrics, loss, gradNorm, ...accuracy } };
    },
    release: stepper.release,
    [Symbol.asyncDispose]: stepper.release,
  };
}
