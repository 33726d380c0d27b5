import { batchMaker, stepsPerEpoch } from "../data/batch-maker.ts";
import type { Inputs, Split, TargetArray } from "../data/dataset.ts";
import { constant } from "../graph/ops/source.ts";
import { forward, vectorLength } from "../nn/scope.ts";
import { compile, type CompileOptions } from "../runtime/compile.ts";
import { ConfigError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { batchSpec, modelFor, normalized, type Task } from "./task.ts";
import type { Weights } from "./weights.ts";

/** From which mini-batches running statistics are taken. */
export interface Reestimate {
  /** How many. */
  readonly batches: number;
  /** Examples in each. */
  readonly batch: number;
  /** Of their order, which is that of the first epoch of a run. */
  readonly seed: number;
}

/**
 * The weights with running statistics of batch norm anew: the mean over mini-batches of each one's statistics at these weights, the variance unbiased. So
 * does PyTorch's `torch.optim.swa_utils.update_bn`, which averaged weights need (Izmailov et al. 2018, section 3.3). Examples are
 * not augmented.
 * @throws ConfigError where the network has no batch norm, or there are fewer mini-batches
 */
export async function withStatistics(
  task: Task,
  weights: Weights,
  split: Split,
  { batches, batch, seed }: Reestimate,
  options: CompileOptions,
): Promise<Weights> {
  const model = modelFor(task, batch);
  if (model.buffers.size === 0)
    throw new ConfigError("the network has no batch norm, so no statistics to take anew", { batches }, "leave it out");
  const most = stepsPerEpoch(split.count, batch);
  if (batches > most)
    throw new ConfigError(
      `batch norm is to be taken anew from ${batches} mini-batches, but there are ${most} of ${batch} training examples`,
      { batches, most, batch },
      `ask for ${most} at most`,
    );
  const { inputShape } = task.format;
  const { x: xSpec } = batchSpec(task, model);
  const graph = await compile(
    ({ theta, x }) => ({
      statistics: forward(model, normalized(x, task.format), {
        theta,
        buffers: constant(weights.buffers, [vectorLength(model.buffers)]),
        training: true,
      }).statistics,
    }),
    { theta: { shape: [vectorLength(model.parameters)] }, x: xSpec },
    options,
  );
  const make = batchMaker(split, { inputShape, batch, seed });
  const x = new (split.x.constructor as new (length: number) => Inputs)(batch * sizeOf(inputShape));
  const y = new (split.y.constructor as new (length: number) => TargetArray)(batch * (split.y.length / split.count));
  const sums = new Float64Array(weights.buffers.length);
  for (let step = 0; step < batches; step++) {
    make(0, step, x, y);
    const { statistics } = await graph.run({ theta: weights.theta, x }, { reuse: true });
    for (const [i, value] of (statistics as Float32Array).entries()) sums[i]! += value;
  }
  await graph.release();
  return { ...weights, buffers: Float32Array.from(sums, (sum) => sum / batches) };
}
