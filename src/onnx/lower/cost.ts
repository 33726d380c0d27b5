import type { ConvAttrs } from "../../graph/ops/conv-attrs.ts";
import { type AxisGeometry, outputLength, rankOf } from "./axis-plan.ts";

/**
 * A rough model of ONNX Runtime's CPU provider on two AVX-512 cores, in seconds. It only has to rank the few ways to do one
 * convolution; its constants are fitted to per-node profiles (docs/engine.md).
 */
const MULTIPLY_ADDS_PER_SECOND = 1.6e11;
const BYTES_PER_SECOND = 3e10;
const GATHERED_BYTES_PER_SECOND = 8e9;
/** The matrix of patches goes through memory between its nodes; measured at strides of 2 in a whole network. */
const DIRECT_SURCHARGE = 1.6;
/** Transforms of weights run at about 12 GB/s: they write far more than they read. */
const WEIGHT_SURCHARGE = 2.7;

/** A product of [m × k] and [k × n], `count` times: packing makes small sides expensive. */
const product = (count: number, m: number, k: number, n: number): number =>
  ((count * m * k * n) / MULTIPLY_ADDS_PER_SECOND) * (1 + 12 / m + 12 / k + 12 / n);

/** Transforms are slower than a plain pass: each reads or writes several streams at once. */
const TRANSFORMED_BYTES_PER_SECOND = 2.4e10;
/** Coordinates are gathered before the inputs are made from them, on both axes. */
const SCATTER_SURCHARGE = 2;
const transformed = (elements: number): number => (4 * elements) / TRANSFORMED_BYTES_PER_SECOND;

const moved = (elements: number): number => (4 * elements) / BYTES_PER_SECOND;

/** Forward and both adjoints: three products, patches gathered twice, and their gradient scattered back. */
export function directCost(
  { size, kernel }: ConvAttrs,
  output: readonly [number, number],
  batch: number,
  c: number,
  k: number,
): number {
  const [rows, taps] = [output[0] * output[1] * batch, kernel[0] * kernel[1]];
  const gathered = (4 * rows * taps * c) / GATHERED_BYTES_PER_SECOND;
  return DIRECT_SURCHARGE * (3 * product(1, rows, taps * c, k) + 4 * gathered) + moved(size[0] * size[1] * batch * c);
}

/** Tiles of `m` outputs per axis; forward and both adjoints together. */
export function winogradCost(
  rows: AxisGeometry,
  columns: AxisGeometry,
  m: readonly [number, number],
  batch: number,
  c: number,
  k: number,
): number {
  const [rankH, rankW] = [rankOf(rows, m[0]), rankOf(columns, m[1])];
  if (rankH === undefined || rankW === undefined) return Number.POSITIVE_INFINITY;
  const [outH, outW] = [outputLength(rows), outputLength(columns)];
  const tiles = [Math.ceil(outH / m[0]), Math.ceil(outW / m[1])] as const;
  const [extentH, extentW] = [rankH * tiles[0], rankW * tiles[1]];
  /** One axis after the other, each read and written once: too much where one pass does both. */
  const passes = (inH: number, inW: number, channels: number) =>
    transformed((inH * inW + 2 * extentH * inW + extentH * extentW) * batch * channels);
  const input = passes(rows.length, columns.length, c);
  const output = passes(outH, outW, k);
  const core = product(rankH * rankW, tiles[0] * tiles[1] * batch, c, k);
  return (
    (1 + SCATTER_SURCHARGE) * input +
    2 * output +
    transformed(2 * outH * outW * batch * k) +
    3 * (core + moved(extentH * extentW * batch * (c + k))) +
    3 * WEIGHT_SURCHARGE * moved(rankH * rankW * c * k)
  );
}
