import { abs, add, maximum, mul, rsqrt, sign, sqrt, sub } from "../graph/ops/elementwise.ts";
import { dot } from "../graph/grad.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";

/** Below this norm a vector is taken for zero: its direction would be noise, and the division would overflow. */
const TINY = 1e-30;

/**
 * ‖x‖ = √Σxᵢ², of shape [].
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: norm(x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4] })).y); // [5]
 * ```
 */
export const norm = (x: Tensor): Tensor => sqrt(dot(x, x));

/**
 * x/‖x‖, of the shape of x; the zero vector stays zero.
 *
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: unit(x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4] })).y); // [0.6, 0.8]
 * ```
 */
export const unit = (x: Tensor): Tensor => mul(x, rsqrt(maximum(dot(x, x), TINY)));

/**
 * x − ⟨x, u⟩u: the part of x that is orthogonal to the unit vector u, of the shape of x.
 *
 * @example
 * ```ts
 * const f = await compile(({ x, u }) => ({ y: reject(x, u) }), { x: { shape: [2] }, u: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4], u: [1, 0] })).y); // [0, 4]
 * ```
 */
export const reject = (x: Tensor, u: Tensor): Tensor => sub(x, mul(dot(x, u), u));

/**
 * u + α·sign⟨u, v⟩·v⊥ with v⊥ = v − ⟨v, u⟩u, of the shape of u: the unit vector u turned towards the line of the unit vector v. Its part along u
 * stays 1 (Luo et al. 2024).
 *
 * @example
 * ```ts
 * const f = await compile(({ u, v }) => ({ y: turned(u, v, 0.5) }), { u: { shape: [2] }, v: { shape: [2] } });
 * console.log((await f.run({ u: [1, 0], v: [-0.6, 0.8] })).y); // [1, -0.4]
 * ```
 */
export const turned = (u: Tensor, v: Tensor, alpha: Operand): Tensor =>
  add(u, mul(mul(alpha, sign(dot(u, v))), reject(v, u)));

/**
 * |cos(x, y)| = |⟨x, y⟩|/(‖x‖‖y‖), of shape [].
 *
 * @example
 * ```ts
 * const f = await compile(({ x, y }) => ({ c: cosine(x, y) }), { x: { shape: [2] }, y: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4], y: [-2, 0] })).c); // [0.6]
 * ```
 */
export const cosine = (x: Tensor, y: Tensor): Tensor => abs(dot(unit(x), unit(y)));

/**
 * λx + (1 − λ)y, of the shape of x: a running mean x that takes in y.
 *
 * @example
 * ```ts
 * const f = await compile(({ x, y }) => ({ z: mix(x, y, 0.9) }), { x: { shape: [1] }, y: { shape: [1] } });
 * console.log((await f.run({ x: [1], y: [2] })).z); // [1.1]
 * ```
 */
export const mix = (x: Tensor, y: Tensor, lambda: Operand): Tensor => add(mul(lambda, x), mul(sub(1, lambda), y));
