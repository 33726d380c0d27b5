import { add, mul, sub } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";

export interface SgdArgs {
  readonly theta: Tensor;
  readonly momentum: Tensor;
  readonly g: Tensor;
  readonly lr: Operand;
  readonly mu: Operand;
  readonly weightDecay: Operand;
  readonly nesterov?: boolean;
}

/** d = g + wd·θ; m ← μ·m + d; θ ← θ − η·m (Nesterov: θ − η(d + μ·m)): PyTorch's SGD with coupled weight decay. */
export function sgd({ theta, momentum, g, lr, mu, weightDecay, nesterov = false }: SgdArgs): {
  theta: Tensor;
  momentum: Tensor;
} {
  const d = add(g, mul(weightDecay, theta));
  const next = add(mul(mu, momentum), d);
  return { theta: sub(theta, mul(lr, nesterov ? add(d, mul(mu, next)) : next)), momentum: next };
}
