import { constant, input } from "../graph/ops/source.ts";
import { forward } from "../nn/scope.ts";
import { anyBatch } from "../onnx/any-batch.ts";
import { emitModel } from "../onnx/emit.ts";
import { lower } from "../onnx/lower/index.ts";
import { targetOf } from "../runtime/device.ts";
import { modelFor, normalized, type Task } from "./task.ts";
import type { Weights } from "./weights.ts";

/**
 * The trained network as an ONNX file of standard operators, in inference mode, weights included. Its input is `images` [batch, C, H, W],
 * uint8 pixels where the data set's are, or `x` [batch, …] for other examples. Its outputs are `logits` and `probabilities` where
 * the loss takes logits, else `output`. Without `batch` it takes any number of examples.
 *
 * @throws LoweringError where `batch` is left out, and the network computes with the number of examples
 */
export const inferenceModel = (task: Task, weights: Weights, batch?: number): Uint8Array =>
  batch === undefined
    ? anyBatch(modelOf(task, weights, SIZES[0]), modelOf(task, weights, SIZES[1]))
    : modelOf(task, weights, batch);

/** Two batch sizes that are no size of anything else in a network. */
const SIZES = [1009, 1013] as const;

function modelOf(task: Task, weights: Weights, batch: number): Uint8Array {
  const { format, loss } = task;
  const model = modelFor(task, batch);
  const x = input(format.inputShape.length === 3 ? "images" : "x", model.inputShape, format.dtype);
  const vector = (values: Float32Array) => constant(values, [values.length], "f32");
  const { logits } = forward(model, normalized(x, format), {
    theta: vector(weights.theta),
    buffers: vector(weights.buffers),
    training: false,
  });
  const predicted = loss.predict(logits);
  const outputs = predicted === logits ? { output: logits } : { logits, probabilities: predicted };
  const target = targetOf({ convolution: "native", standardOps: true });
  const names = Object.keys(outputs);
  const lowered = lower(Object.values(outputs), target);
  return emitModel({ outputs: lowered.map((tensor, i) => ({ name: names[i]!, tensor })) }, target).bytes;
}
