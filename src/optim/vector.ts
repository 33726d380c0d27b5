import { abs, add, maximum, mul, rsqrt, sqrt, sub } from "../graph/ops/elementwise.ts";
import { dot } from "../graph/grad.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";

/** Below this norm a vector is taken for zero: its direction would be noise, and the division would overflow. */
const TINY = 1e-30;

/** ‖x‖. */
export const norm = (x: Tensor): Tensor => sqrt(dot(x, x));

/** x / ‖x‖; the zero vector stays zero. */
export const unit = (x: Tensor): Tensor => mul(x, rsqrt(maximum(dot(x, x), TINY)));

/** The part of x that is orthogonal to the unit vector u. */
export const reject = (x: Tensor, u: Tensor): Tensor => sub(x, mul(dot(x, u), u));

/** |cos(x, y)|; 0 where one of them is zero. */
export const cosine = (x: Tensor, y: Tensor): Tensor => abs(dot(unit(x), unit(y)));

/** λx + (1 − λ)y: a running mean x that takes in y. */
export const mix = (x: Tensor, y: Tensor, lambda: Operand): Tensor => add(mul(lambda, x), mul(sub(1, lambda), y));
