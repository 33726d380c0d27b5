import { cast, equal, where } from "../graph/ops/compare.ts";
import { sub } from "../graph/ops/elementwise.ts";
import { max } from "../graph/ops/max.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * 1 where the first largest of each row of logits [N, classes] is the label's, else 0: shape [N]. Of equal logits only
 * the first counts, as argmax has it, so a network that answers the same for everything scores like chance; NaN never counts.
 */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  const [classes, { dtype }] = [logits.shape[1]!, logits];
  // The first place is the largest of their negatives: memory and time stay linear in the classes.
  const places = constant(
    Float64Array.from({ length: classes }, (_, i) => -i),
    [classes],
    dtype,
  );
  const first = max(where(equal(logits, max(logits, [1], true)), places, -classes), [1]);
  return cast(equal(cast(labels, dtype), sub(0, first)), dtype);
}
