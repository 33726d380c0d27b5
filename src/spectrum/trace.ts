import type { Rng } from "../util/rng.ts";
import type { SymmetricOperator } from "./operator.ts";
import { inner, length, normalized, orthogonalize, rademacher, type Vector, zeros } from "./vectors.ts";

/** A mean over random probes and its standard error; 0 where the number is exact. */
export interface Estimate {
  readonly mean: number;
  readonly stderr: number;
}

export interface TraceEstimate extends Estimate {
  readonly products: number;
}

export interface ProbeOptions {
  /** Products at most. As many as the dimension, or more, give the exact number. */
  readonly products: number;
  readonly random: Rng;
}

export function estimateOf(samples: readonly number[]): Estimate {
  const n = samples.length;
  const mean = samples.reduce((a, b) => a + b, 0) / n;
  const squares = samples.reduce((a, b) => a + (b - mean) ** 2, 0);
  // 0/0 for one probe alone, which says nothing about its own error.
  return { mean, stderr: Math.sqrt(squares / (n - 1) / n) };
}

/** e₀, e₁, …: with them every sum over probes is exact. */
export const unitVectors = ({ dim: size, dtype }: SymmetricOperator): Vector[] =>
  Array.from({ length: size }, (_, i) => {
    const e = zeros(size, dtype);
    e[i] = 1;
    return e;
  });

/** `count` vectors of random signs. */
export const signProbes = ({ dim: size, dtype }: SymmetricOperator, count: number, random: Rng): Vector[] =>
  Array.from({ length: count }, () => rademacher(size, dtype, random));

const productsOf = (operator: SymmetricOperator, vectors: readonly Vector[]): Promise<Vector[]> =>
  Promise.all(vectors.map((v) => operator.apply(v)));

/** The exact sum of eᵢᵀHeᵢ. */
async function exactTrace(operator: SymmetricOperator): Promise<TraceEstimate> {
  const units = unitVectors(operator);
  const columns = await productsOf(operator, units);
  return { mean: columns.reduce((sum, column, i) => sum + column[i]!, 0), stderr: 0, products: operator.dim };
}

/** tr H = E zᵀHz over random signs z (Hutchinson 1990). */
export async function hutchinson(operator: SymmetricOperator, options: ProbeOptions): Promise<TraceEstimate> {
  const { products, random } = options;
  if (products >= operator.dim) return exactTrace(operator);
  const probes = signProbes(operator, products, random);
  const images = await productsOf(operator, probes);
  return { ...estimateOf(probes.map((z, i) => inner(z, images[i]!))), products };
}

/**
 * Hutch++ (Meyer, Musco, Musco & Woodruff 2021): a third of the products finds a subspace Q that holds the large eigenvalues, a third
 * takes its trace tr(QᵀHQ) exactly, and Hutchinson's estimate is left with what is orthogonal to it. The standard error is that last part's.
 */
export async function hutchPlusPlus(operator: SymmetricOperator, options: ProbeOptions): Promise<TraceEstimate> {
  const { products, random } = options;
  if (products >= operator.dim) return exactTrace(operator);
  const rank = Math.floor(products / 3);
  const Q = orthonormal(await productsOf(operator, signProbes(operator, rank, random)));
  const HQ = await productsOf(operator, Q);
  const held = Q.reduce((sum, q, i) => sum + inner(q, HQ[i]!), 0);
  const probes = signProbes(operator, products - 2 * rank, random);
  for (const z of probes) orthogonalize(z, Q);
  const images = await productsOf(operator, probes);
  const rest = estimateOf(probes.map((z, i) => inner(z, images[i]!)));
  return { mean: held + rest.mean, stderr: rest.stderr, products: rank + Q.length + probes.length };
}

/** ‖H‖²_F = E‖Hz‖² over random signs z; the square root of the mean, and its standard error to first order. */
export async function frobeniusNorm(operator: SymmetricOperator, options: ProbeOptions): Promise<TraceEstimate> {
  const exact = options.products >= operator.dim;
  const probes = exact ? unitVectors(operator) : signProbes(operator, options.products, options.random);
  const squares = (await productsOf(operator, probes)).map((image) => inner(image, image));
  if (exact) return { mean: Math.sqrt(squares.reduce((a, b) => a + b, 0)), stderr: 0, products: probes.length };
  const { mean, stderr } = estimateOf(squares);
  const norm = Math.sqrt(mean);
  return { mean: norm, stderr: norm === 0 ? 0 : stderr / (2 * norm), products: probes.length };
}

/** An orthonormal basis of the span (Gram and Schmidt, twice); vectors that add nothing to it are left out. */
export function orthonormal(vectors: readonly Vector[]): Vector[] {
  const basis: Vector[] = [];
  for (const vector of vectors) {
    const rest = vector.slice() as Vector;
    const before = length(rest);
    orthogonalize(rest, basis);
    if (length(rest) > 1e-6 * before) basis.push(normalized(rest));
  }
  return basis;
}

/** Traces of the diagonal blocks from the same probes: E Σ_{i in block} zᵢ(Hz)ᵢ. Ranges of start and end. */
export function blockTraces(
  probes: readonly Vector[],
  images: readonly Vector[],
  blocks: readonly { readonly start: number; readonly end: number }[],
): Estimate[] {
  return blocks.map(({ start, end }) =>
    estimateOf(probes.map((z, i) => inner(z.subarray(start, end), images[i]!.subarray(start, end)))),
  );
}
