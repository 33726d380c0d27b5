import { add, mul, sub } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";

export interface SgdArgs {
  readonly theta: Tensor;
  readonly momentum: Tensor;
  readonly g: Tensor;
  readonly lr: Operand;
  readonly mu: Operand;
  readonly weightDecay: Operand;
}

/** d = g + wd·θ; m ← μ·m + d; θ ← θ − η·m: PyTorch's SGD with momentum and coupled weight decay. */
export function sgd({ theta, momentum, g, lr, mu, weightDecay }: SgdArgs): { theta: Tensor; momentum: Tensor } {
  const next = add(mul(mu, momentum), add(g, mul(weightDecay, theta)));
  return { theta: sub(theta, mul(lr, next)), momentum: next };
}
