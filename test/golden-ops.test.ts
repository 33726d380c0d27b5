import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { dot, grad } from "../src/graph/grad.ts";
import { transpose } from "../src/graph/ops/arrange.ts";
import { conv2d } from "../src/graph/ops/conv.ts";
import { add } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import * as nn from "../src/nn/functions.ts";
import { fromNchw } from "../src/nn/images.ts";
import { batchNorm } from "../src/nn/layers.ts";
import type { Scope } from "../src/nn/scope.ts";
import type { TypedArray } from "../src/runtime/session.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { GOLDEN_F64 } from "./tolerances.ts";

interface GoldenInput {
  readonly shape: Shape;
  readonly seed: number;
  readonly scale: number;
  readonly offset: number;
}

interface Attrs {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly eps: number;
  readonly labels: readonly number[];
  readonly labelSmoothing: number;
}

interface GoldenCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Attrs;
  readonly inputs: readonly GoldenInput[];
  readonly outputShape: Shape;
  readonly output: readonly number[];
  readonly grads: readonly (readonly number[])[];
  readonly second: readonly (readonly number[])[];
}

const { cases } = JSON.parse(readFileSync(new URL("golden/ops.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenCase[];
};

const toNchw = (y: Tensor): Tensor => transpose(y, [2, 3, 0, 1]);

const pool =
  (of: typeof nn.maxPool2d) =>
  ({ kernel, stride, padding }: Attrs, x: Tensor): Tensor =>
    toNchw(of(fromNchw(x), { kernel: kernel[0], stride: stride[0], padding: padding[0] }));

/** The library's own batch-norm layer, on tensors given by name. */
function batchNormOn(training: boolean, x: Tensor, given: Readonly<Record<string, Tensor>>): Tensor {
  const find = ({ name, shape }: { name: string; shape: Shape }) => given[name] ?? constant(0, shape, "f64");
  const none = () => undefined;
  const scope: Scope = { training, at: () => scope, parameter: find, buffer: find, observe: none, uniform: none };
  return toNchw(batchNorm(scope, fromNchw(x)));
}

/** PyTorch's operation by name, in terms of the library's functions; layouts are PyTorch's. */
const operations: Readonly<Record<string, (attrs: Attrs, ...inputs: Tensor[]) => Tensor>> = {
  conv2d: ({ stride, padding }, x, w) => toNchw(conv2d(fromNchw(x!), transpose(w!, [2, 3, 1, 0]), { stride, padding })),
  max_pool2d: (attrs, x) => pool(nn.maxPool2d)(attrs, x!),
  avg_pool2d: (attrs, x) => pool(nn.avgPool2d)(attrs, x!),
  batch_norm: (_, x, weight, bias) => batchNormOn(true, x!, { weight: weight!, bias: bias! }),
  batch_norm_eval: (_, x, weight, bias, mean, variance) =>
    batchNormOn(false, x!, { weight: weight!, bias: bias!, running_mean: mean!, running_var: variance! }),
  layer_norm: ({ eps }, x, weight, bias) => nn.layerNorm(x!, weight!, bias!, eps),
  cross_entropy: ({ labels, labelSmoothing }, z) =>
    nn.crossEntropy(z!, constant(Int32Array.from(labels), [labels.length], "i32"), { labelSmoothing }),
  log_softmax: (_, z) => nn.logSoftmax(z!),
  gelu: (_, x) => nn.gelu(x!),
  silu: (_, x) => nn.silu(x!),
  matmul: (_, x, y) => matmul(x!, y!),
};

const filled = (seed: number, { shape }: Tensor) => constant(fill(seed, sizeOf(shape)), shape, "f64");

const built = cases.map((golden, n) => {
  const inputs = golden.inputs.map(({ shape }, i) => input(`case${n}_in${i}`, shape, "f64"));
  const output = operations[golden.op]!(golden.attrs, ...inputs);
  const grads = grad(dot(output, filled(99, output)), inputs);
  const second = grad(grads.map((g, j) => dot(g, filled(200 + j, g))).reduce(add), inputs);
  const feeds = golden.inputs.map(({ shape, seed, scale, offset }, i) => [
    `case${n}_in${i}`,
    fill(seed, sizeOf(shape), scale, offset),
  ]);
  return { golden, output, grads, second, feeds: Object.fromEntries(feeds) as Record<string, Float64Array> };
});

describe("agrees with PyTorch in value, first and second derivative:", () => {
  let results: Record<string, TypedArray>;
  beforeAll(async () => {
    const outputs = built.flatMap(({ output, grads, second }, n) => [
      [`case${n}_output`, output] as const,
      ...grads.map((g, i) => [`case${n}_grads${i}`, g] as const),
      ...second.map((s, i) => [`case${n}_second${i}`, s] as const),
    ]);
    const feeds = Object.assign({}, ...built.map((b) => b.feeds));
    results = await runOn(Object.fromEntries(outputs), feeds, { convolution: "direct" });
  });

  it.each(built.map(({ golden, output }, n) => ({ name: golden.name, golden, output, n })))("$name", (each) => {
    const { golden, output, n } = each;
    expect(output.shape).toEqual(golden.outputShape);
    expect(relativeError(results[`case${n}_output`]!, golden.output)).toBeLessThan(GOLDEN_F64);
    for (const kind of ["grads", "second"] as const)
      golden[kind].forEach((expected, i) => {
        const error = relativeError(results[`case${n}_${kind}${i}`]!, expected, Number.EPSILON);
        expect(error, `${kind} of input ${i}`).toBeLessThan(GOLDEN_F64);
      });
  });
});
