import { grad, pullBack } from "../../src/graph/grad.ts";
import { mul } from "../../src/graph/ops/elementwise.ts";
import { sum } from "../../src/graph/ops/reduce.ts";
import { constant } from "../../src/graph/ops/source.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { type TrainingMethodName, trainingMethods } from "../../src/optim/methods/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { type SdeVariantName, sdeVariantNames, sdeVariants } from "../../src/sde/variants.ts";
import { D, N, quartic } from "./quartic.ts";

type Vector = ArrayLike<number>;

/** J·u of y(x) by two backward passes: Jᵀc is linear in c, and its derivative by c against u is J·u. */
export function jvp(y: Tensor, x: Tensor, u: Tensor): Tensor {
  // c's value does not matter, because the derivative by c does not depend on it.
  const c = constant(1, y.shape, y.dtype);
  const [pulled] = pullBack([y], [c], [x]);
  return grad(sum(mul(pulled!, u)), c);
}

/** h of every equation of one method, on the quartic functions, in float64 on ONNX Runtime. */
export async function driftsOnQuartic(method: TrainingMethodName, v: Vector, alpha: number) {
  const vector = { shape: [D], dtype: "f64" } as const;
  const build = ({ theta, weights, rho }: Record<"theta" | "weights" | "rho", Tensor>): Record<string, Tensor> => {
    const f = (x: Tensor) => quartic(weights, x);
    const g = grad(f(theta), theta);
    const [mask, step] = [constant(1, [D], "f64"), constant(0, [], "f64")];
    const at = { f, theta, g, v: constant(Float64Array.from(v), [D], "f64"), mask, step };
    const own = trainingMethods[method];
    return Object.fromEntries(
      sdeVariantNames.map((name) => [name, sdeVariants[name].drift(own, at, { rho, alpha, eta: 0.01 })]),
    );
  };
  const spec = { theta: vector, weights: { shape: [N], dtype: "f64" }, rho: { shape: [], dtype: "f64" } } as const;
  const executable = await compile(build, spec, { threads: 1 });
  return async (theta: Vector, weights: Vector, rho: number): Promise<Record<SdeVariantName, Float64Array>> => {
    const feeds = { theta: Float64Array.from(theta), weights: Float64Array.from(weights), rho: Float64Array.of(rho) };
    const results = await executable.run(feeds);
    const copied = sdeVariantNames.map((name) => [name, Float64Array.from(results[name]!)]);
    return Object.fromEntries(copied) as Record<SdeVariantName, Float64Array>;
  };
}

export const mean = (vectors: readonly Vector[]): Float64Array =>
  Float64Array.from(vectors[0]!, (_, i) => vectors.reduce((s, x) => s + x[i]! / vectors.length, 0));

/** Cov(X, Y) over two lists of vectors, all of them equally likely, row-major. */
export function crossCovariance(xs: readonly Vector[], ys: readonly Vector[]): Float64Array {
  const [mx, my] = [mean(xs), mean(ys)];
  const d = mx.length;
  return Float64Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return xs.reduce((s, x, k) => s + ((x[i]! - mx[i]!) * (ys[k]![j]! - my[j]!)) / xs.length, 0);
  });
}

export const covariance = (xs: readonly Vector[]): Float64Array => crossCovariance(xs, xs);

/** The exponent p of error ∝ scaleᵖ by least squares on logarithms. */
export function slope(scales: readonly number[], errors: readonly number[]): number {
  const [x, y] = [scales.map(Math.log), errors.map(Math.log)];
  const [mx, my] = [x, y].map((list) => list.reduce((a, b) => a + b, 0) / list.length) as [number, number];
  const top = x.reduce((s, value, i) => s + (value - mx) * (y[i]! - my), 0);
  return top / x.reduce((s, value) => s + (value - mx) ** 2, 0);
}
