import type { ConvAttrs } from "../../graph/ops/conv-attrs.ts";
import { type AxisGeometry, outputLength, rankOf } from "./axis-plan.ts";

/**
 * A rough model of ONNX Runtime's CPU provider on two AVX-512 cores, in seconds. It only has to rank the few ways to do one
 * convolution; constants fitted to per-node profiles (docs/engine.md).
 */
const MULTIPLY_ADDS_PER_SECOND = 1.6e11;
const BYTES_PER_SECOND = 3e10;
const GATHERED_BYTES_PER_SECOND = 8e9;
/** The matrix of patches goes through memory between its nodes; measured at strides of 2 in a whole network. */
const DIRECT_SURCHARGE = 1.6;
/** Transforms of weights run at about 12 GB/s: they write far more than they read. */
const WEIGHT_SURCHARGE = 2.7;

/** A product of [m × k] and [k × n], `count` times: packing makes small sides dear. */
const product = (count: number, m: number, k: number, n: number): number =>
  ((count * m * k * n) / MULTIPLY_ADDS_PER_SECOND) * (1 + 12 / m + 12 / k + 12 / n);

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
  const extentH = rankH * Math.ceil(outputLength(rows) / m[0]);
  const extentW = rankW * Math.ceil(outputLength(columns) / m[1]);
  const transform = (channels: number, inH: number, inW: number, denseH: number, denseW: number) =>
    product(1, extentH, denseH, inW * batch * channels) +
    product(extentH, extentW, denseW, batch * channels) +
    moved((inH * inW + 2 * extentH * inW + extentH * extentW) * batch * channels);
  const input = transform(c, rows.length, columns.length, rows.length, columns.length);
  const output = transform(k, outputLength(rows), outputLength(columns), m[0], m[1]);
  const core = product((extentH * extentW) / 2, 2 * batch, c, k);
  return (
    2 * input +
    2 * output +
    3 * (core + moved(extentH * extentW * batch * (c + k))) +
    3 * WEIGHT_SURCHARGE * moved(rankH * rankW * c * k)
  );
}
