import type { Split } from "../data/dataset.ts";
import { sizeOf } from "../util/shape.ts";
import type { Executable } from "../runtime/compile.ts";
import type { Weights } from "./weights.ts";

export interface Score {
  readonly loss: number;
  /** Part of the images whose first largest logit is the label's. */
  readonly accuracy: number;
}

/** Mean loss and accuracy over a whole split; a last short batch is filled up with rows of weight 0. */
export async function evaluate(
  evaluation: Executable,
  { theta, buffers }: Weights,
  split: Split,
  inputShape: readonly number[],
): Promise<Score> {
  const batch = inputShape[0]!;
  const pixels = sizeOf(inputShape) / batch;
  let [loss, correct] = [0, 0];
  for (let from = 0; from < split.count; from += batch) {
    const rows = Math.min(batch, split.count - from);
    const whole = rows === batch;
    const x = split.images.subarray(from * pixels, (from + rows) * pixels);
    const y = split.labels.subarray(from, from + rows);
    const results = await evaluation.run(
      {
        theta,
        buffers,
        x: whole ? x : filled(x, batch * pixels),
        y: whole ? y : filled(y, batch),
        weight: new Float32Array(batch).fill(1, 0, rows),
      },
      { reuse: true },
    );
    loss += results.loss![0]!;
    correct += results.correct![0]!;
  }
  return { loss: loss / split.count, accuracy: correct / split.count };
}

function filled<T extends Uint8Array | Float32Array | Int32Array>(values: T, length: number): T {
  const result = new (values.constructor as new (length: number) => T)(length);
  result.set(values as never);
  return result;
}
