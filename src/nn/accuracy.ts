import { cast, equal, where } from "../graph/ops/compare.ts";
import { sub } from "../graph/ops/elementwise.ts";
import { max } from "../graph/ops/max.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * 1 where the first largest of each row of logits [..., classes] is the label's, else 0: of the shape of the labels [...]. Of equal logits only
 * the first counts, as argmax has it, so a network that answers the same for everything scores like chance; NaN never counts.
 */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  const [classes, { dtype }, axis] = [logits.shape.at(-1)!, logits, [logits.shape.length - 1]];
  // The first place is the largest of their negatives: memory and time stay linear in the classes.
  const places = constant(
    Float64Array.from({ length: classes }, (_, i) => -i),
    [classes],
    dtype,
  );
  const first = max(where(equal(logits, max(logits, axis, true)), places, -classes), axis);
  return cast(equal(cast(labels, dtype), sub(0, first)), dtype);
}
