import { cast, equal, greater, oneHot } from "../graph/ops/compare.ts";
import { mul, sub } from "../graph/ops/elementwise.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { max } from "../graph/ops/max.ts";
import { sum } from "../graph/ops/reduce.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * 1 where the first largest of each row of logits [N, classes] is the label's, else 0: shape [N]. Of equal logits only
 * the first counts, as argmax has it, so a network that answers the same for everything scores like chance; NaN never counts.
 */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  const classes = logits.shape[1]!;
  const largest = cast(equal(logits, max(logits, [1], true)), logits.dtype);
  const below = Float64Array.from({ length: classes * classes }, (_, i) =>
    Number(Math.floor(i / classes) < i % classes),
  );
  const earlier = matmul(largest, constant(below, [classes, classes], logits.dtype));
  const first = mul(largest, sub(1, cast(greater(earlier, 0), logits.dtype)));
  return sum(mul(first, oneHot(labels, classes, logits.dtype)), [1]);
}
