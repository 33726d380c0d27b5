import { type SymmetricOperator, gathered } from "../spectrum/operator.ts";
import { inner, type Vector, zeros } from "../spectrum/vectors.ts";
import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import type { FloatDType, Tensor } from "../graph/tensor.ts";
import { crossEntropy } from "../nn/functions.ts";
import { forward, type Model, vectorLength } from "../nn/scope.ts";
import { compile, type Executable } from "../runtime/compile.ts";
import type { Device } from "../runtime/device.ts";
import type { TypedArray } from "../runtime/session.ts";
import { type ImageFormat, normalized } from "../train/problem.ts";

/** Which statistics batch norm uses: those of each mini-batch, as in training, or the running ones, as in inference. */
export type BatchNormMode = "batch" | "running";

/** Images of one mini-batch, and what counts them in. */
export interface LossBatch {
  /** [rows, C, H, W]. */
  readonly images: TypedArray;
  readonly labels: Int32Array;
  readonly rows: number;
}

export interface LossArgs {
  /** The network for any number of images. */
  readonly modelFor: (rows: number) => Model;
  readonly format: ImageFormat;
  readonly buffers: Vector;
  readonly batches: readonly LossBatch[];
  readonly bn: BatchNormMode;
  readonly labelSmoothing: number;
  readonly dtype: FloatDType;
  readonly device: Device;
  /** 0 is one per core. */
  readonly threads: number;
}

/** A function of θ and the batches that a graph computes on one mini-batch. */
type Build = (f: (theta: Tensor) => Tensor, inputs: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;

export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Vector;
  readonly gradNorm: number;
}

export interface BatchQuotient {
  readonly value: number;
  /** The mini-batch's part of all images. */
  readonly weight: number;
}

/**
 * The loss f(θ) = (1/n) Σ over the images of all batches (so that a short batch counts for its images alone), its gradient and its
 * Hessian. Batches are streamed: memory is that of one mini-batch, whatever their number. With batch norm in "batch" mode the
 * loss of an image depends on its mini-batch, so f is the mean of the mini-batch losses that training descends.
 */
export interface EmpiricalLoss {
  /** Length of θ. */
  readonly size: number;
  readonly dtype: FloatDType;
  /** Images in all mini-batches. */
  readonly images: number;
  /** Mini-batches. */
  readonly batches: number;
  lossAndGradient(theta: Vector): Promise<LossAndGradient>;
  /** f(θ). */
  loss(theta: Vector): Promise<number>;
  /** H at θ; products that are asked for together share passes over the data and forward passes. */
  hessian(theta: Vector): SymmetricOperator;
  /** vᵀH_b v of every mini-batch b, in order: how much λ differs from one to the next. */
  quotients(theta: Vector, v: Vector): Promise<BatchQuotient[]>;
  release(): Promise<void>;
}

/** Products in one graph: more share the forward pass and the gradient, and take more memory. */
const BLOCK = 4;

export function empiricalLoss(args: LossArgs): EmpiricalLoss {
  const { batches, format, dtype, buffers, device, threads, modelFor, bn, labelSmoothing } = args;
  const images = batches.reduce((sum, { rows }) => sum + rows, 0);
  const size = vectorLength(modelFor(batches[0]!.rows).parameters);
  const executables = new Map<string, Promise<Executable>>();

  /** One graph per kind and number of rows: of these there are two at most, the last batch's being the other. */
  const graph = (kind: string, rows: number, vectors: readonly string[], build: Build): Promise<Executable> => {
    const key = `${kind}/${rows}`;
    const known = executables.get(key);
    if (known) return known;
    const model = modelFor(rows);
    const vector = { shape: [size], dtype };
    const spec = {
      theta: vector,
      buffers: { shape: [vectorLength(model.buffers)], dtype },
      x: { shape: model.inputShape, dtype: format.pixels },
      y: { shape: [rows], dtype: "i32" as const },
      ...Object.fromEntries(vectors.map((name) => [name, vector])),
    };
    const compiled = compile(
      (inputs) => {
        const { x, y, buffers: running } = inputs as Record<string, Tensor>;
        const pixels = normalized(x!, format, dtype);
        const f = (theta: Tensor) =>
          crossEntropy(forward(model, pixels, { theta, buffers: running!, training: bn === "batch" }).logits, y!, {
            labelSmoothing,
          });
        return build(f, inputs as Record<string, Tensor>);
      },
      spec,
      { device, ...(threads === 0 ? {} : { threads }), ...(dtype === "f64" ? { convolution: "direct" } : {}) },
    ) as Promise<Executable>;
    executables.set(key, compiled);
    return compiled;
  };

  /** Runs a graph on every batch; `take` sees its outputs and the batch's part of the images. */
  const overBatches = async (
    kind: string,
    vectors: Readonly<Record<string, Vector>>,
    theta: Vector,
    build: Build,
    take: (outputs: Readonly<Record<string, TypedArray>>, weight: number) => void,
  ): Promise<void> => {
    for (const { images: x, labels: y, rows } of batches) {
      const executable = await graph(kind, rows, Object.keys(vectors), build);
      take(await executable.run({ theta, buffers, x, y, ...vectors }, { reuse: true }), rows / images);
    }
  };

  const products = async (theta: Vector, vectors: readonly Vector[]): Promise<Vector[]> => {
    const results: Vector[] = [];
    for (const some of chunks(vectors)) {
      const names = some.map((_, i) => `v${i}`);
      const build: Build = (f, inputs) => {
        const g = grad(f(inputs.theta!), inputs.theta!);
        return Object.fromEntries(
          names.map((name) => [`H${name}`, gradientVectorProduct(g, inputs.theta!, inputs[name]!)]),
        );
      };
      const totals = some.map(() => new Float64Array(size));
      const named = Object.fromEntries(names.map((name, i) => [name, some[i]!]));
      await overBatches(`products${some.length}`, named, theta, build, (outputs, weight) => {
        for (const [i, name] of names.entries()) accumulate(totals[i]!, weight, outputs[`H${name}`]!);
      });
      results.push(...totals.map((total) => toDType(total, dtype)));
    }
    return results;
  };

  return {
    size,
    dtype,
    images,
    batches: batches.length,
    loss: async (theta) => {
      let total = 0;
      await overBatches(
        "loss",
        {},
        theta,
        (f, inputs) => ({ loss: f(inputs.theta!) }),
        ({ loss }, weight) => {
          total += weight * loss![0]!;
        },
      );
      return total;
    },
    lossAndGradient: async (theta) => {
      let total = 0;
      const sum = new Float64Array(size);
      const build: Build = (f, inputs) => {
        const loss = f(inputs.theta!);
        return { loss, g: grad(loss, inputs.theta!) };
      };
      await overBatches("gradient", {}, theta, build, ({ loss, g }, weight) => {
        total += weight * loss![0]!;
        accumulate(sum, weight, g!);
      });
      return { loss: total, gradient: toDType(sum, dtype), gradNorm: Math.sqrt(inner(sum, sum)) };
    },
    hessian: (theta) => gathered(size, dtype, (vectors) => products(theta, vectors)),
    quotients: async (theta, v) => {
      const found: BatchQuotient[] = [];
      const build: Build = (f, inputs) => {
        const g = grad(f(inputs.theta!), inputs.theta!);
        return { quotient: dot(inputs.v0!, gradientVectorProduct(g, inputs.theta!, inputs.v0!)) };
      };
      await overBatches("quotient", { v0: v }, theta, build, ({ quotient }, weight) => {
        found.push({ value: quotient![0]!, weight });
      });
      return found;
    },
    release: async () => {
      for (const compiled of executables.values()) await (await compiled).release();
    },
  };
}

/** Parts of BLOCK vectors, and what is left one by one, so that two graphs do for any number. */
function chunks(vectors: readonly Vector[]): (readonly Vector[])[] {
  const whole = Math.floor(vectors.length / BLOCK);
  return [
    ...Array.from({ length: whole }, (_, i) => vectors.slice(i * BLOCK, (i + 1) * BLOCK)),
    ...vectors.slice(whole * BLOCK).map((v) => [v]),
  ];
}

function accumulate(sum: Float64Array, weight: number, x: TypedArray): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * x[i]!;
}

function toDType(sum: Float64Array, dtype: FloatDType): Vector {
  if (dtype === "f64") return sum;
  const result = zeros(sum.length, dtype);
  result.set(sum);
  return result;
}
