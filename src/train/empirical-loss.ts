import type { Batch } from "../data/dataset.ts";
import type { FloatDType } from "../graph/tensor.ts";
import type { Device } from "../runtime/device.ts";
import type { Vector } from "../spectrum/vectors.ts";
import { batchSpec, modelFor, onBatch, type Task, type TracedBatch } from "./task.ts";
import { type EmpiricalLoss, streamedLoss } from "./streamed.ts";

/** Which statistics batch norm uses: those of each mini-batch, as in training, or the running ones, as in inference. */
export type BatchNormMode = "batch" | "running";

/** One mini-batch, and what counts its examples. */
export interface LossBatch extends Batch {
  readonly rows: number;
}

export interface LossArgs {
  readonly task: Task;
  /** Running statistics of batch norm. */
  readonly buffers: Vector;
  readonly batches: readonly LossBatch[];
  readonly bn: BatchNormMode;
  readonly dtype: FloatDType;
  readonly device: Device;
  /** 0 is one per core. */
  readonly threads: number;
}

/** The empirical loss of a task on mini-batches: what training descends, as a function of θ with gradient and Hessian. */
export const empiricalLoss = ({ task, buffers, batches, bn, ...rest }: LossArgs): EmpiricalLoss =>
  streamedLoss({
    ...rest,
    size: Math.max(1, modelFor(task, batches[0]!.rows).parameters.size),
    batches: batches.map((batch) => ({
      // Read in every product, so that a batch that gathers its examples holds no copy of them.
      get arrays() {
        return { x: batch.x, y: batch.y, buffers };
      },
      rows: batch.rows,
    })),
    spec: (rows) => batchSpec(task, modelFor(task, rows), rest.dtype),
    loss: (inputs, rows) =>
      onBatch(task, modelFor(task, rows), inputs as unknown as TracedBatch, {
        training: bn === "batch",
        dtype: rest.dtype,
      }).f,
  });
