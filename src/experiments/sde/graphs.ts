import { grad } from "../../graph/grad.ts";
import { sum } from "../../graph/ops/reduce.ts";
import { constant } from "../../graph/ops/source.ts";
import type { FloatDType, Tensor } from "../../graph/tensor.ts";
import { correct } from "../../nn/accuracy.ts";
import { crossEntropy } from "../../nn/functions.ts";
import { powerIteration } from "../../optim/eigenvector.ts";
import { maskOf } from "../../optim/method.ts";
import type { Loss } from "../../optim/point.ts";
import { compile, type Executable, type InputSpec } from "../../runtime/compile.ts";
import { accumulated } from "../../sde/euler-maruyama.ts";
import { type SdeVariantName, sdeVariants } from "../../sde/variants.ts";
import type { SdeConfig } from "./config.ts";
import type { Problem } from "./problem.ts";

type Traced = Readonly<Record<string, Tensor>>;

/** Shapes and dtypes of `rows` examples as inputs of a graph. */
export const exampleSpec = ({ inputShape }: Problem, rows: number, dtype: FloatDType): InputSpec => ({
  x: { shape: [rows, ...inputShape], dtype },
  y: { shape: [rows], dtype: "i32" },
});

/** f(θ) on the examples of a graph. */
export const lossOn =
  ({ logits }: Problem, { x, y }: Traced): Loss =>
  (theta) =>
    crossEntropy(logits(theta, x!), y!);

/** Compiles what is made of θ and `rows` examples; `vectors` and `scalars` are further inputs. */
function compileOn(
  { threads, dtype }: SdeConfig,
  problem: Problem,
  rows: number,
  more: { readonly vectors?: readonly string[]; readonly scalars?: readonly string[] },
  build: (inputs: Traced, f: Loss) => Traced,
  inPlace: Readonly<Record<string, string>> = {},
): Promise<Executable> {
  const inputs = (names: readonly string[], shape: readonly number[]) =>
    Object.fromEntries(names.map((name) => [name, { shape, dtype }]));
  const spec = {
    ...inputs(["theta", ...(more.vectors ?? [])], [problem.size]),
    ...inputs(more.scalars ?? [], []),
    ...exampleSpec(problem, rows, dtype),
  };
  const options = { threads, inPlace, ...(dtype === "f64" ? { convolution: "direct" as const } : {}) };
  return compile((all: Traced) => build(all, lossOn(problem, all)), spec, options) as Promise<Executable>;
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

/** An estimate of v on one mini-batch: so many steps of the power iteration, on from v. */
export const compilePower = (config: SdeConfig, problem: Problem): Promise<Executable> =>
  compileOn(config, problem, config.data.batch, { vectors: ["v"] }, ({ theta, v }, f) => ({
    nextV: powerIteration(f, theta!, v!, config.method.iterations).v,
  }));

/** Mean loss and number of correct answers on `rows` examples. */
export const compileTestScore = (config: SdeConfig, problem: Problem, rows: number): Promise<Executable> =>
  compileOn(config, problem, rows, {}, ({ theta, x, y }, f) => ({
    loss: f(theta!),
    correct: sum(correct(problem.logits(theta!, x!), y!)),
  }));
