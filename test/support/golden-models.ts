import { grad, gradientVectorProduct } from "../../src/graph/grad.ts";
import { input } from "../../src/graph/ops/source.ts";
import type { FloatDType } from "../../src/graph/tensor.ts";
import type { ModelOptions } from "../../src/models/entry.ts";
import type { ModelName } from "../../src/models/index.ts";
import { crossEntropy } from "../../src/nn/functions.ts";
import { type Entry, type Layout, pack, unpack } from "../../src/nn/layout.ts";
import { forward, type Model, vectorInput, vectorLength } from "../../src/nn/scope.ts";
import { type Shape, sizeOf } from "../../src/util/shape.ts";
import { dotOf, fill, normOf, relativeError } from "./numbers.ts";
import { runOn } from "./run.ts";

/** By parameter: a few elements, the norm, and the product with fill(seed + k). */
export interface Summary {
  readonly samples: readonly (readonly number[])[];
  readonly norms: readonly number[];
  readonly products: readonly number[];
}

/** A network as PyTorch evaluated it. */
export interface GoldenModel {
  readonly model: ModelName;
  readonly options: ModelOptions;
  readonly inputShape: Shape;
  readonly parameters: readonly [name: string, shape: Shape][];
  readonly buffers: readonly [name: string, shape: Shape][];
  readonly logits: readonly number[];
  readonly inference?: readonly number[];
  readonly running?: readonly number[];
  readonly loss: number;
  readonly grad: Summary;
  readonly hvp: Summary;
  readonly third?: Summary;
}

const SAMPLES = 8;
/** Where a parameter's part is shorter than this share of the whole, rounding of the whole is what is left of it. */
const NEGLIGIBLE = 1e-3;
/** The starting numbers of scripts/golden/models.py. */
export function parameter({ shape, size, name }: Entry, k: number): Float64Array {
  if (shape.length > 1) return fill(100 + k, size, 2 / Math.sqrt(sizeOf(shape.slice(1))));
  return fill(100 + k, size, 0.3, name.endsWith("weight") ? 1 : 0);
}

const statistic = ({ size, name }: Entry, k: number) => fill(500 + k, size, 0.3, name.endsWith("var") ? 1 : 0);

const packed = (layout: Layout, make: (entry: Entry, k: number) => Float64Array) =>
  pack(
    layout,
    Object.fromEntries(layout.entries.map((entry, k) => [entry.name, make(entry, k)])),
    new Float64Array(vectorLength(layout)),
  );

interface Evaluation {
  readonly dtype?: FloatDType;
  /** Whether T[v, v] is computed. */
  readonly third?: boolean;
  /** Inputs in place of images: whole numbers, with a label each. */
  readonly tokens?: Int32Array;
}

/** What PyTorch's side computes, of our network. */
export function evaluate(model: Model, classes: number, { dtype = "f64", third = false, tokens }: Evaluation = {}) {
  const labels = tokens ? model.inputShape : model.inputShape.slice(0, 1);
  const theta = vectorInput("theta", model.parameters, dtype);
  const buffers = vectorInput("buffers", model.buffers, dtype);
  const x = input("x", model.inputShape, tokens ? "i32" : dtype);
  const draws = model.draws === 0 ? undefined : input("draws", [model.draws], dtype);
  const trained = forward(model, x, { theta, buffers, training: true, draws });
  const inferred = forward(model, x, { theta, buffers, training: false });
  const loss = crossEntropy(trained.logits, input("labels", labels, "i32"));
  const g = grad(loss, theta);
  const v = input("v", theta.shape, dtype);
  const hvp = gradientVectorProduct(g, theta, v);
  const outputs = {
    logits: trained.logits,
    inference: inferred.logits,
    loss,
    grad: g,
    hvp,
    ...(third ? { third: gradientVectorProduct(hvp, theta, v) } : {}),
    ...(model.buffers.size === 0 ? {} : { running: trained.buffers }),
  };
  const feeds = {
    theta: packed(model.parameters, parameter),
    buffers: packed(model.buffers, statistic),
    v: packed(model.parameters, ({ size }, k) => fill(1000 + k, size)),
    x: tokens ?? fill(7, sizeOf(model.inputShape), 1.7),
    draws: fill(60, model.draws).map((value) => (value + 1) / 2),
    labels: Int32Array.from({ length: sizeOf(labels) }, (_, i) => (3 * i + 1) % classes),
  };
  return runOn<string>(outputs, feeds, { convolution: "direct", threads: 1 });
}

/** A vector's parts by parameter, in PyTorch's order of elements. */
export const partsOf = (layout: Layout, flat: ArrayLike<number>) =>
  Object.values(unpack(layout, Float64Array.from(flat)));

function sample(part: Float64Array, k: number): Float64Array {
  const every = Math.ceil(part.length / SAMPLES);
  return part.filter((_, i) => i % every === k % every);
}

/** The largest relative error of a vector against its summary; products are with fill(seed + k). */
export function summaryError(
  { parameters }: Model,
  found: ArrayLike<number>,
  { samples, norms, products }: Summary,
  seed: number,
): number {
  const parts = partsOf(parameters, found);
  const smallest = NEGLIGIBLE * normOf(norms);
  // A product with fixed numbers changes with any element and with any exchange of two.
  const ofProducts = parts.map((part, k) => {
    const weights = fill(seed + k, part.length);
    return Math.abs(dotOf(part, weights) - products[k]!) / (Math.max(norms[k]!, smallest) * normOf(weights));
  });
  return Math.max(
    ...ofProducts,
    relativeError(parts.map(normOf), norms),
    relativeError(
      parts.flatMap((part, k) => [...sample(part, k)]),
      samples.flat(),
    ),
  );
}
