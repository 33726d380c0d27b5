import { DerivativeError } from "../util/errors.ts";
import { showShape } from "../util/shape.ts";
import { accumulate } from "./accumulate.ts";
import { broadcastTo, sum } from "./ops/reduce.ts";
import { mul, stopGradient } from "./ops/elementwise.ts";
import { constant } from "./ops/source.ts";
import { simplify } from "./simplify.ts";
import { isFloat, type Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/**
 * ∂y/∂x by reverse accumulation, as a new graph on the same inputs: it differentiates again, to any order.
 * `y` is a scalar (shape [] or all ones). One x gives one tensor of its shape, and a list gives a list. An x that y
 * does not depend on gets zeros.
 *
 * @throws DerivativeError where y is no single floating-point number, or an x is not floating-point
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ slope: grad(sum(mul(x, mul(x, x))), x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [1, 2] })).slope); // [3, 12]
 * ```
 */
export function grad(y: Tensor, x: Tensor): Tensor;
export function grad(y: Tensor, xs: readonly Tensor[]): Tensor[];
export function grad(y: Tensor, x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  const several = Array.isArray(x);
  const wrt = (several ? x : [x]) as readonly Tensor[];
  if (!isFloat(y.dtype) || y.shape.some((d) => d !== 1))
    throw new DerivativeError(
      `grad: the function is ${y.dtype} ${showShape(y.shape)}, expected one floating-point number`,
      { shape: y.shape, dtype: y.dtype },
      "sum or average it first",
    );
  for (const x of wrt)
    if (!isFloat(x.dtype))
      throw new DerivativeError(`grad: cannot differentiate by a tensor of ${x.dtype}`, { dtype: x.dtype });
  const found = simplify(pullBack([y], [constant(1, y.shape, y.dtype)], wrt));
  return several ? found : found[0]!;
}

/** Jᵀ·cotangents: the pulled-back cotangents of `outputs`, one per tensor of `wrt`. */
export function pullBack(outputs: readonly Tensor[], cotangents: readonly Tensor[], wrt: readonly Tensor[]): Tensor[] {
  const order = topological(outputs);
  const active = new Set<Tensor>(wrt);
  for (const node of order) if (node.inputs.some((x) => active.has(x))) active.add(node);

  const pending = new Map<Tensor, Tensor[]>();
  const contribute = (x: Tensor, g: Tensor) => {
    const list = pending.get(x);
    if (list) list.push(g);
    else pending.set(x, [g]);
  };
  for (const [i, y] of outputs.entries()) contribute(y, cotangents[i]!);

  const targets = new Set(wrt);
  const total = new Map<Tensor, Tensor>();
  for (const node of order.toReversed()) {
    const terms = pending.get(node);
    if (!terms || !active.has(node)) continue;
    pending.delete(node);
    const g = accumulate(terms);
    if (targets.has(node)) total.set(node, g);
    const rules = node.op.vjp({ g, out: node, inputs: node.inputs, attrs: node.attrs });
    rules.forEach((rule, i) => {
      const x = node.inputs[i]!;
      if (rule && active.has(x)) contribute(x, rule());
    });
  }
  return wrt.map((x) => {
    const g = total.get(x);
    return g ? broadcastTo(g, x.shape) : constant(0, x.shape, x.dtype);
  });
}

/**
 * ⟨a, b⟩ = Σ aᵢbᵢ over all elements, of shape [].
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: dot(x, x) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [3, 4] })).y); // [25]
 * ```
 */
export const dot = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b));

/**
 * H·v with H = ∇²y, of the shape of x: the gradient of ⟨∇y, v⟩ with v held fixed, even where v was computed from x
 * (Pearlmutter 1994).
 * `y` is a scalar, and v has the shape of x. One product costs about two gradients.
 *
 * @throws DerivativeError where y is no single floating-point number
 * @example
 * ```ts
 * const f = await compile(({ x, v }) => ({ Hv: hessianVectorProduct(sum(mul(x, mul(x, x))), x, v) }), {
 *   x: { shape: [2] },
 *   v: { shape: [2] },
 * });
 * console.log((await f.run({ x: [1, 2], v: [1, 1] })).Hv); // [6, 12]
 * ```
 */
export function hessianVectorProduct(y: Tensor, x: Tensor, v: Tensor): Tensor {
  return gradientVectorProduct(grad(y, x), x, v);
}

/**
 * H·v from g = ∇y, of the shape of x: products at one point share the graph of g (see {@link hessianVectorProduct}).
 *
 * @throws DerivativeError where g is not floating-point
 * @example
 * ```ts
 * const f = await compile(
 *   ({ x, u, v }) => {
 *     const g = grad(sum(mul(x, mul(x, x))), x);
 *     return { Hu: gradientVectorProduct(g, x, u), Hv: gradientVectorProduct(g, x, v) };
 *   },
 *   { x: { shape: [2] }, u: { shape: [2] }, v: { shape: [2] } },
 * );
 * const [x, u, v] = [[1, 2], [1, 0], [0, 1]];
 * console.log((await f.run({ x, u, v })).Hv); // [0, 12]
 * ```
 */
export const gradientVectorProduct = (g: Tensor, x: Tensor, v: Tensor): Tensor => grad(dot(g, stopGradient(v)), x);

/**
 * T[u, u] = ∇ₓ(uᵀ H(x) u) with u held fixed, of the shape of x: q = ⟨∇⟨∇y, u⟩, u⟩, then ∇q.
 *
 * @throws DerivativeError where y is no single floating-point number
 * @example
 * ```ts
 * const f = await compile(({ x, u }) => ({ T: thirdOrderContraction(sum(mul(x, mul(x, x))), x, u) }), {
 *   x: { shape: [2] },
 *   u: { shape: [2] },
 * });
 * console.log((await f.run({ x: [1, 2], u: [1, 2] })).T); // [6, 24]
 * ```
 */
export const thirdOrderContraction = (y: Tensor, x: Tensor, u: Tensor): Tensor =>
  gradientVectorProduct(hessianVectorProduct(y, x, u), x, u);
