import { dot, grad, gradientVectorProduct } from "../graph/grad.ts";
import type { FloatDType, Tensor } from "../graph/tensor.ts";
import type { Loss } from "../optim/point.ts";
import { compile, type Executable, type InputSpec } from "../runtime/compile.ts";
import type { Device } from "../runtime/device.ts";
import type { TypedArray } from "../runtime/session.ts";
import { gathered, type SymmetricOperator } from "../spectrum/operator.ts";
import { inner, type Vector, zeros } from "../spectrum/vectors.ts";

type Arrays = Readonly<Record<string, TypedArray>>;
type Traced = Readonly<Record<string, Tensor>>;

/** A loss that is computed on one mini-batch at a time. */
export interface StreamedLossArgs {
  /** Length of θ. */
  readonly size: number;
  readonly dtype: FloatDType;
  readonly device: Device;
  /** 0 is one per core. */
  readonly threads: number;
  /** The arrays of each mini-batch, and the examples that they hold. */
  readonly batches: readonly { readonly arrays: Arrays; readonly rows: number }[];
  /** Shapes and dtypes of the arrays of a mini-batch of `rows` examples. */
  spec(rows: number): InputSpec;
  /** f(θ) on a mini-batch of `rows` examples inside a graph. */
  loss(inputs: Traced, rows: number): Loss;
}

export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Vector;
  readonly gradNorm: number;
}

export interface BatchQuotient {
  readonly value: number;
  /** The mini-batch's part of all examples. */
  readonly weight: number;
}

/**
 * The loss f(θ) = (1/n) Σ over the examples of all batches (so that a short batch counts for its examples alone), its gradient and its
 * Hessian. Batches are streamed: memory is that of one mini-batch, whatever their number. With batch norm in "batch" mode the
 * loss of an example depends on its mini-batch, so f is the mean of the mini-batch losses that training descends.
 */
export interface EmpiricalLoss {
  /** Length of θ. */
  readonly size: number;
  readonly dtype: FloatDType;
  /** Examples in all mini-batches. */
  readonly images: number;
  /** Mini-batches. */
  readonly batches: number;
  lossAndGradient(theta: Vector): Promise<LossAndGradient>;
  /** f(θ). */
  loss(theta: Vector): Promise<number>;
  /**
   * H at θ, over the mini-batches of these numbers, or of all; products that are asked for together share passes over the data and
   * forward passes. Where `stop` aborts, no product is begun, and its reason is thrown.
   */
  hessian(theta: Vector, of?: readonly number[], stop?: AbortSignal): SymmetricOperator;
  /** The part of all examples that the mini-batches of these numbers hold. */
  weightOf(of: readonly number[]): number;
  /** vᵀH_b v of the mini-batches b of these numbers, in order. */
  quotients(theta: Vector, v: Vector, of: readonly number[]): Promise<BatchQuotient[]>;
  release(): Promise<void>;
}

/** A function of θ and further vectors that a graph computes on one mini-batch. */
type Build = (f: Loss, inputs: Traced) => Traced;

/** Products in one graph: more share the forward pass and the gradient, and take more memory. */
const BLOCK = 4;

/** The empirical loss of a function on mini-batches; graphs are compiled when they are first needed. */
export function streamedLoss({ size, dtype, device, threads, batches, spec, loss }: StreamedLossArgs): EmpiricalLoss {
  const examples = batches.reduce((sum, { rows }) => sum + rows, 0);
  const everyBatch = batches.map((_, i) => i);
  const weightOf = (of: readonly number[]) => of.reduce((sum, i) => sum + batches[i]!.rows, 0) / examples;
  const executables = new Map<string, Promise<Executable>>();

  /** One graph per kind and number of rows: of these there are two at most, the last batch's being the other. */
  const graph = (kind: string, rows: number, vectors: readonly string[], build: Build): Promise<Executable> => {
    const key = `${kind}/${rows}`;
    const known = executables.get(key);
    if (known) return known;
    const vector = { shape: [size], dtype };
    const compiled = compile(
      (inputs: Traced) => build(loss(inputs, rows), inputs),
      { theta: vector, ...spec(rows), ...Object.fromEntries(vectors.map((name) => [name, vector])) },
      { device, ...(threads === 0 ? {} : { threads }), ...(dtype === "f64" ? { convolution: "direct" } : {}) },
    ) as Promise<Executable>;
    executables.set(key, compiled);
    return compiled;
  };

  /** Runs a graph on the batches of these numbers; `take` sees its outputs and the batch's part of all examples. */
  const overBatches = async (
    kind: string,
    vectors: Readonly<Record<string, Vector>>,
    theta: Vector,
    build: Build,
    take: (outputs: Arrays, weight: number) => void,
    of: readonly number[] = everyBatch,
  ): Promise<void> => {
    for (const { arrays, rows } of of.map((i) => batches[i]!)) {
      const executable = await graph(kind, rows, Object.keys(vectors), build);
      take(await executable.run({ theta, ...arrays, ...vectors }, { reuse: true }), rows / examples);
    }
  };

  const products = async (theta: Vector, vectors: readonly Vector[], of: readonly number[]): Promise<Vector[]> => {
    const names = vectors.map((_, i) => `v${i}`);
    const build: Build = (f, inputs) => {
      const g = grad(f(inputs.theta!), inputs.theta!);
      return Object.fromEntries(
        names.map((name) => [`H${name}`, gradientVectorProduct(g, inputs.theta!, inputs[name]!)]),
      );
    };
    const totals = vectors.map(() => new Float64Array(size));
    const named = Object.fromEntries(names.map((name, i) => [name, vectors[i]!]));
    const whole = weightOf(of);
    const add = (outputs: Arrays, weight: number) => {
      for (const [i, name] of names.entries()) accumulate(totals[i]!, weight / whole, outputs[`H${name}`]!);
    };
    await overBatches(`products${vectors.length}`, named, theta, build, add, of);
    return totals.map((total) => toDType(total, dtype));
  };

  return {
    size,
    dtype,
    images: examples,
    batches: batches.length,
    loss: async (theta) => {
      let total = 0;
      await overBatches(
        "loss",
        {},
        theta,
        (f, inputs) => ({ loss: f(inputs.theta!) }),
        (outputs, weight) => {
          total += weight * outputs.loss![0]!;
        },
      );
      return total;
    },
    lossAndGradient: async (theta) => {
      let total = 0;
      const sum = new Float64Array(size);
      const build: Build = (f, inputs) => {
        const value = f(inputs.theta!);
        return { loss: value, g: grad(value, inputs.theta!) };
      };
      await overBatches("gradient", {}, theta, build, (outputs, weight) => {
        total += weight * outputs.loss![0]!;
        accumulate(sum, weight, outputs.g!);
      });
      return { loss: total, gradient: toDType(sum, dtype), gradNorm: Math.sqrt(inner(sum, sum)) };
    },
    weightOf,
    hessian: (theta, of = everyBatch, stop) =>
      gathered(size, dtype, (vectors) => products(theta, vectors, of), BLOCK, stop),
    quotients: async (theta, v, of) => {
      const found: BatchQuotient[] = [];
      const build: Build = (f, inputs) => {
        const g = grad(f(inputs.theta!), inputs.theta!);
        return { quotient: dot(inputs.v0!, gradientVectorProduct(g, inputs.theta!, inputs.v0!)) };
      };
      const take = ({ quotient }: Arrays, weight: number) => {
        found.push({ value: quotient![0]!, weight });
      };
      await overBatches("quotient", { v0: v }, theta, build, take, of);
      return found;
    },
    release: async () => {
      for (const compiled of executables.values()) await (await compiled).release();
    },
  };
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
