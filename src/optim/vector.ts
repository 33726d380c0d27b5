import { maximum, mul, rsqrt, sqrt, sub } from "../graph/ops/elementwise.ts";
import { dot } from "../graph/grad.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Below this norm a vector is taken for zero: its direction would be noise, and the division would overflow. */
const TINY = 1e-30;

/** ‖x‖. */
export const norm = (x: Tensor): Tensor => sqrt(dot(x, x));

/** x / ‖x‖; the zero vector stays zero. */
export const unit = (x: Tensor): Tensor => mul(x, rsqrt(maximum(dot(x, x), TINY)));

/** The part of x that is orthogonal to the unit vector u. */
export const reject = (x: Tensor, u: Tensor): Tensor => sub(x, mul(dot(x, u), u));
