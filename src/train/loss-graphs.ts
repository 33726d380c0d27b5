import { external } from "../graph/external.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import { sum } from "../graph/ops/reduce.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../nn/scope.ts";
import { gradAt, type Method } from "../optim/method.ts";
import type { Loss } from "../optim/point.ts";
import { compile, type CompileOptions, type Executable, type InputSpec } from "../runtime/compile.ts";
import type { TypedArray } from "../runtime/session.ts";
import { compileStaged } from "../runtime/staged.ts";
import { resources } from "../util/resources.ts";
import { type Draws, withDraws } from "./draws.ts";
import type { Micro } from "./micro.ts";
import { type Kind, type Recomputation, withinLimit } from "./recompute.ts";
import { microBatches, type Seen, WHOLE } from "./micro-batches.ts";
import { batchSpec, drawsSpec, onBatch, type Task, type TracedBatch } from "./task.ts";

type Traced = Readonly<Record<string, Tensor>>;
type Arrays = Readonly<Record<string, TypedArray>>;

/** A mini-batch's losses: on the whole of it, and on each of the parts that the method perturbs apart. */
export interface Losses {
  readonly whole: Loss;
  readonly parts: readonly Loss[];
}

export interface LossGraphOptions {
  /** Batch norm by statistics of the examples, or by running ones. */
  readonly training: boolean;
  /** Whether the pass at θ also counts correct answers, and moves the running statistics in the array of `buffers`. */
  readonly sees?: boolean;
  /** Inputs that outputs are written over. */
  readonly inPlace?: Readonly<Record<string, string>>;
  /** What the graph is. */
  readonly kind: Kind;
}

/** A function of vectors and of a mini-batch's loss, compiled. */
export interface LossGraph {
  /**
   * Inputs are those of the function, and x, y and buffers; `draws` is left out where the network takes no random numbers. Outputs are overwritten by the next run.
   * With `sees` there is `correct`, where there are classes.
   */
  run(inputs: Arrays, draws?: Draws): Promise<Record<string, TypedArray>>;
  release(): Promise<void>;
  /** What is computed again, where memory is limited. */
  readonly recomputation?: Recomputation | undefined;
}

/** Compiles functions of a mini-batch's loss: with the mini-batch in the graph, or in parts of it one after another. */
export interface LossGraphs {
  compile(
    build: (inputs: Traced, losses: Losses) => Traced,
    spec: InputSpec,
    options: LossGraphOptions,
  ): Promise<LossGraph>;
  /** Frees what the graphs share. */
  release(): Promise<void>;
}

/** The mean of functions. */
export const meanOf = (parts: readonly Loss[]): Loss =>
  parts.length === 1
    ? parts[0]!
    : (theta) =>
        mul(
          1 / parts.length,
          parts.map((part) => part(theta)).reduce((total, loss) => add(total, loss)),
        );

/** How graphs are compiled, and how much memory each may take, in MiB. */
export interface LossGraphSettings {
  readonly compile: CompileOptions;
  readonly memoryLimit?: number | undefined;
}

export function lossGraphs(task: Task, model: Model, micro: Micro, settings: LossGraphSettings): LossGraphs {
  return micro.count === 1 ? inOneGraph(task, model, settings) : inParts(task, model, micro, settings);
}

const NEXT_BUFFERS = "next_buffers";

function inOneGraph(task: Task, model: Model, { compile: common, memoryLimit: limit }: LossGraphSettings): LossGraphs {
  return {
    compile: async (build, spec, { training, sees = false, inPlace, kind }) => {
      const buffered = sees && model.buffers.size > 0;
      const trace = (inputs: Traced, segments: number): Traced => {
        const { f, pass, targets } = onBatch(task, model, inputs as unknown as TracedBatch, { training, segments });
        const made = build(inputs, { whole: f, parts: [f] });
        if (!sees) return made;
        const { logits, buffers } = pass(inputs.theta!);
        return {
          ...made,
          ...(task.loss.correct ? { correct: sum(task.loss.correct(logits, targets)) } : {}),
          ...(buffered ? { [NEXT_BUFFERS]: buffers } : {}),
        };
      };
      const whole = { ...spec, ...batchSpec(task, model), ...drawsSpec(task, model) };
      // A metric, or a method with state, may read a vector after its successor is made.
      const options = inPlace
        ? { ...common, inPlace: { ...inPlace, ...(buffered ? { buffers: NEXT_BUFFERS } : {}) }, copyBack: true }
        : common;
      const chosen = await withinLimit(trace, whole, { options, limit, kind });
      const graph = (await compile((inputs) => trace(inputs, chosen.segments), whole, chosen.options)) as Executable;
      return {
        run: (inputs, draws) => graph.run(withDraws(inputs, draws, 0), { reuse: true }),
        release: () => graph.release(),
        recomputation: chosen.recomputation,
      };
    },
    release: () => Promise.resolve(),
  };
}

function inParts(task: Task, model: Model, micro: Micro, settings: LossGraphSettings): LossGraphs {
  const { compile: options } = settings;
  const batches = resources((training: boolean) =>
    Promise.resolve(microBatches(task, model, micro, { training, ...settings })),
  );
  const whole = external(WHOLE);
  const parts = micro.functions === 1 ? [whole] : Array.from({ length: micro.functions }, (_, i) => external(i));
  return {
    compile: async (build, spec, { training, sees = false, inPlace }) => {
      const { evaluate, gradient } = await batches.get(training);
      const staged = await compileStaged(
        (inputs) => build(inputs, { whole, parts }),
        spec,
        inPlace ? { ...options, inPlace, copyBack: true } : options,
      );
      return {
        run: async ({ x, y, buffers, ...inputs }: Arrays, draws?: Draws) => {
          const seen: Seen = { correct: undefined };
          const at = { batch: { x, y }, theta: inputs.theta, buffers, draws } as Parameters<typeof evaluate>[0];
          const found = await staged.run(inputs, evaluate({ ...at, ...(sees ? { seen } : {}) }));
          return seen.correct === undefined ? found : { ...found, correct: Float32Array.of(seen.correct) };
        },
        release: staged.release,
        recomputation: sees ? await gradient() : undefined,
      };
    },
    release: batches.release,
  };
}

/**
 * m-SAM (Foret et al. 2021): the method on each part of a mini-batch, with a perturbation of its own; direction and ε are the means. For methods that
 * keep nothing from step to step.
 */
export const onEachPart = (method: Method, parts: readonly Loss[]): Method =>
  parts.length === 1
    ? method
    : {
        ...method,
        descend: (at, values) => {
          const found = parts.map((f) => method.descend({ ...at, f, g: gradAt(f, at.theta) }, values));
          const mean = (of: readonly Tensor[]) =>
            mul(
              1 / of.length,
              of.reduce((total, x) => add(total, x)),
            );
          const epsilons = found.flatMap(({ epsilon }) => (epsilon ? [epsilon] : []));
          return {
            direction: mean(found.map(({ direction }) => direction)),
            ...(epsilons.length > 0 ? { epsilon: mean(epsilons) } : {}),
            state: {},
          };
        },
      };
