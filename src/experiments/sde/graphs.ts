import { abs, add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import { dot, grad } from "../../graph/grad.ts";
import { constant } from "../../graph/ops/source.ts";
import { sum } from "../../graph/ops/reduce.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { correct } from "../../nn/accuracy.ts";
import { crossEntropy } from "../../nn/functions.ts";
import { powerIteration } from "../../optim/eigenvector.ts";
import { maskOf } from "../../optim/method.ts";
import { norm } from "../../optim/vector.ts";
import { compile, type Executable } from "../../runtime/compile.ts";
import { accumulated } from "../../sde/euler-maruyama.ts";
import { type SdeVariantName, sdeVariants } from "../../sde/variants.ts";
import type { SdeConfig } from "./config.ts";
import type { Problem } from "./problem.ts";

type Traced = Readonly<Record<string, Tensor>>;

/** Compiles what is made of θ and `images` images; `vectors` and `scalars` are further inputs. */
function compileOn(
  { threads, dtype }: SdeConfig,
  { size, pixels, logits }: Problem,
  images: number,
  more: { readonly vectors?: readonly string[]; readonly scalars?: readonly string[] },
  build: (inputs: Traced, f: (theta: Tensor) => Tensor, logitsAt: (theta: Tensor) => Tensor) => Traced,
  inPlace: Readonly<Record<string, string>> = {},
): Promise<Executable> {
  const inputs = (names: readonly string[], shape: readonly number[]) =>
    Object.fromEntries(names.map((name) => [name, { shape, dtype }]));
  const spec = {
    ...inputs(["theta", ...(more.vectors ?? [])], [size]),
    ...inputs(more.scalars ?? [], []),
    x: { shape: [images, pixels], dtype },
    y: { shape: [images], dtype: "i32" as const },
  };
  const traced = (all: Traced) => {
    const logitsAt = (theta: Tensor) => logits(theta, all.x!);
    return build(all, (theta) => crossEntropy(logitsAt(theta), all.y!), logitsAt);
  };
  return compile(traced as never, spec, { threads, inPlace });
}

/**
 * One mini-batch of one equation: g, Hw, T[w,w] as far as it needs them, and h added to the two sums in place. The method's
 * numbers are inputs by name, behind "method.".
 */
export function compileDrift(config: SdeConfig, problem: Problem, variant: SdeVariantName): Promise<Executable> {
  const { method, size, model } = problem;
  const { mask } = method.needs;
  const names = Object.keys(method.hyper);
  return compileOn(
    config,
    problem,
    config.data.batch,
    { vectors: ["v", "sumH", "sumXiH"], scalars: [...names.map(hyperInput), "xi"] },
    ({ theta, v, sumH, sumXiH, xi, ...inputs }, f) => {
      const g = grad(f(theta!), theta!);
      const at = {
        f,
        theta: theta!,
        g,
        v: v!,
        mask: constant(mask ? maskOf(mask, model.parameters) : 1, [size], config.dtype),
        step: constant(0, [], config.dtype),
      };
      const values = Object.fromEntries(names.map((name) => [name, inputs[hyperInput(name)]!]));
      const h = sdeVariants[variant].drift(method, at, values);
      const next = accumulated({ h: sumH!, xiH: sumXiH! }, h, xi!);
      return { nextH: next.h, nextXiH: next.xiH };
    },
    { sumH: "nextH", sumXiH: "nextXiH" },
  );
}

/** The input of one of the method's numbers. */
export const hyperInput = (name: string): string => `method.${name}`;

/**
 * `iterations` steps of the power iteration with H + shift·I on so many images: the next vector, the eigenvalue of H, and
 * ‖Hv − λv‖. A shift by the largest negative eigenvalue makes the largest λ the largest in absolute value as well.
 */
export const compilePower = (
  config: SdeConfig,
  problem: Problem,
  { images, iterations }: { readonly images: number; readonly iterations: number },
): Promise<Executable> =>
  compileOn(config, problem, images, { vectors: ["v"], scalars: ["shift"] }, ({ theta, v, shift }, f) => {
    const shifted = (x: Tensor) => add(f(x), mul(mul(0.5, shift!), dot(x, x)));
    const power = powerIteration(shifted, theta!, v!, iterations);
    return {
      nextV: power.v,
      eigenvalue: sub(power.eigenvalue, shift!),
      error: mul(power.residual, abs(power.eigenvalue)),
    };
  });

/** Loss and ‖∇f‖ on all training images, and ‖θ‖. */
export const compileTrainScore = (config: SdeConfig, problem: Problem): Promise<Executable> =>
  compileOn(config, problem, problem.train.count, {}, ({ theta }, f) => {
    const loss = f(theta!);
    return { loss, gradNorm: norm(grad(loss, theta!)), norm: norm(theta!) };
  });

/** Loss and accuracy on the test images. */
export const compileTestScore = (config: SdeConfig, problem: Problem): Promise<Executable> =>
  compileOn(config, problem, problem.test.count, {}, ({ theta, y }, f, logitsAt) => ({
    loss: f(theta!),
    accuracy: div(sum(correct(logitsAt(theta!), y!)), problem.test.count),
  }));
