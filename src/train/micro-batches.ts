import type { Batch } from "../data/dataset.ts";
import { grad, gradientVectorProduct } from "../graph/grad.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import { sum } from "../graph/ops/reduce.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Model, vectorLength } from "../nn/scope.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/compile.ts";
import type { Evaluate, Wanted } from "../runtime/staged.ts";
import { resources } from "../util/resources.ts";
import { type Recomputation, withinLimit } from "./recompute.ts";
import { type Draws, withDraws } from "./draws.ts";
import { type Micro, partsOfBatch } from "./micro.ts";
import { batchSpec, drawsSpec, onBatch, type Task, type TracedBatch } from "./task.ts";

/** The number of the loss on the whole mini-batch; those of its parts are 0, 1, … */
export const WHOLE = -1;

/** What the passes at θ found besides losses and gradients. */
export interface Seen {
  correct: number | undefined;
}

/** The losses on parts of a mini-batch, and their derivatives, computed one part at a time. */
export interface MicroBatches {
  /**
   * Evaluates derivatives for a mini-batch. Passes at the array `theta` itself, in training, move the running statistics in `buffers` once per part,
   * and count correct answers.
   */
  evaluate(at: {
    readonly batch: Batch;
    readonly theta: Float32Array;
    readonly buffers: Float32Array;
    readonly seen?: Seen;
    /** Left out where the network takes no random numbers. */
    readonly draws?: Draws | undefined;
  }): Evaluate;
  /** What is computed again for the gradient of a part, where memory is limited. */
  gradient(): Promise<Recomputation | undefined>;
  release(): Promise<void>;
}

interface PassOptions {
  /** Batch norm by the part's statistics, or by running ones. */
  readonly training: boolean;
  readonly compile: CompileOptions;
  /** Memory that each graph may take, in MiB; left out, any. */
  readonly memoryLimit?: number | undefined;
}

/** Graphs of one part of a mini-batch, which add to sums; memory is that of one part, whatever their number. */
export function microBatches(
  task: Task,
  model: Model,
  { count, functions }: Micro,
  settings: PassOptions,
): MicroBatches {
  const each = count / functions;
  const passes = resources((order: number) => compilePass(task, model, order, settings));

  return {
    gradient: async () => (await passes.get(1)).recomputation,
    evaluate: ({ batch, theta, buffers, seen, draws }) => {
      const parts = partsOfBatch(batch, count).map((part, i) => ({ ...part, i }));
      return async (wanted) => {
        for (const { of, order, point, along, into, value } of passesFor(wanted)) {
          const { graph: pass } = await passes.get(order);
          const vectors = Object.fromEntries(along.map((vector, i) => [alongName(i), vector]));
          const own = of === WHOLE ? parts : parts.slice(of * each, (of + 1) * each);
          const share = Float32Array.of(1 / own.length);
          for (const { x, y, i } of own) {
            const inputs = { theta: point, x, y, buffers, ...vectors, share, sum: into };
            const found = await pass.run(withDraws(inputs, draws, i), { reuse: true });
            if (value) value[0]! += found.loss![0]! / own.length;
            if (point !== theta || seen === undefined || order !== 1) continue;
            if (found.correct) seen.correct = (seen.correct ?? 0) + found.correct[0]!;
            if (found.nextBuffers) buffers.set(found.nextBuffers as Float32Array);
          }
        }
      };
    },
    release: passes.release,
  };
}

/** A derivative that is computed by a pass over the parts, and where the loss goes that a gradient comes with. */
interface Pass extends Wanted {
  readonly value?: Float32Array | undefined;
}

/** The passes that give what is wanted, by function: parts are seen in their order. The loss at a point where the gradient is wanted needs none. */
function passesFor(wanted: readonly Wanted[]): Pass[] {
  const at = (one: Wanted, order: number) =>
    wanted.find((other) => other.order === order && other.of === one.of && other.point === one.point);
  return wanted
    .filter((one) => one.order > 0 || at(one, 1) === undefined)
    .map((one) => ({ ...one, value: one.order === 1 ? at(one, 0)?.into : undefined }))
    .sort((a, b) => a.of - b.of);
}

const alongName = (vector: number) => `along.${vector}`;

/** Adds the derivative of an order on one part to a sum. That of a gradient also gives what a step records of its pass. */
async function compilePass(
  task: Task,
  model: Model,
  order: number,
  { training, compile: common, memoryLimit }: PassOptions,
) {
  const vector = { shape: [vectorLength(model.parameters)] };
  const along = Array.from({ length: Math.max(0, order - 1) }, (_, i) => alongName(i));
  const build = (inputs: Readonly<Record<string, Tensor>>, segments: number): Record<string, Tensor> => {
    const { theta, sum: before, share } = inputs as Record<"theta" | "sum" | "share", Tensor>;
    const { f, pass, targets } = onBatch(task, model, inputs as unknown as TracedBatch, { training, segments });
    const loss = f(theta);
    const value =
      order === 0
        ? loss
        : derivativeOf(
            loss,
            theta,
            along.map((name) => inputs[name]!),
          );
    const next = { nextSum: add(before, mul(share, value)) };
    if (order !== 1) return next;
    const { logits, buffers } = pass(theta);
    return {
      ...{ ...next, loss },
      ...(task.loss.correct ? { correct: sum(task.loss.correct(logits, targets)) } : {}),
      ...(training && model.buffers.size > 0 ? { nextBuffers: buffers } : {}),
    };
  };
  const spec = {
    ...{ theta: vector, share: { shape: [] }, sum: order === 0 ? { shape: [] } : vector },
    ...{ ...batchSpec(task, model), ...drawsSpec(task, model) },
    ...Object.fromEntries(along.map((name) => [name, vector])),
  };
  const { segments, options, recomputation } = await withinLimit(build, spec, {
    options: { ...common, inPlace: { sum: "nextSum" }, copyBack: true },
    limit: memoryLimit,
    kind: {
      name: order === 1 ? "the gradient of a part of a mini-batch" : "a part of a mini-batch",
      shrinks: order === 1,
    },
  });
  const graph = (await compile((inputs) => build(inputs, segments), spec, options)) as Executable;
  return { graph, recomputation, release: () => graph.release() };
}

/** ∇f, or ∇⟨∂ⁿ⁻¹f, w₁ … wₙ₋₁⟩ with the vectors held fixed. */
const derivativeOf = (loss: Tensor, theta: Tensor, along: readonly Tensor[]): Tensor =>
  along.reduce((g, w) => gradientVectorProduct(g, theta, w), grad(loss, theta));
