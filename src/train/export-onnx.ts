import type { Dataset } from "../data/dataset.ts";
import { softmax } from "../nn/functions.ts";
import { forward } from "../nn/scope.ts";
import { constant, input } from "../graph/ops/source.ts";
import { emitModel } from "../onnx/emit.ts";
import { lower } from "../onnx/lower/index.ts";
import { targetOf } from "../runtime/device.ts";
import { normalized } from "./problem.ts";
import { loadModel, type ScoringConfig } from "./restore.ts";

/**
 * The trained network as an ONNX file of standard operators: images [batch, C, H, W] (uint8 pixels where the data set's
 * are, normalized inside) → logits and probabilities [batch, classes], in inference mode, weights included.
 */
export function inferenceModel(config: ScoringConfig, dataset: Dataset, path: string): Uint8Array {
  const { format, model, weights } = loadModel(config, dataset, path);
  const images = input("images", model.inputShape, format.pixels);
  const vector = (values: Float32Array) => constant(values, [values.length], "f32");
  const { logits } = forward(model, normalized(images, format), {
    theta: vector(weights.theta),
    buffers: vector(weights.buffers),
    training: false,
  });
  const target = targetOf({ convolution: "native", standardOps: true });
  const [a, b] = lower([logits, softmax(logits)], target);
  const outputs = [
    { name: "logits", tensor: a! },
    { name: "probabilities", tensor: b! },
  ];
  return emitModel({ outputs }, target).bytes;
}
