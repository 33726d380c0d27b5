import type { ConvAttrs } from "../../graph/ops/conv-attrs.ts";
import type { BlockedPlan } from "./conv-blocked.ts";
import { hasFewChannels } from "./conv-planes.ts";
import { type AxisGeometry, outputLength, rankOf } from "./axis-plan.ts";

/**
 * A rough model of ONNX Runtime's CPU provider on two AVX-512 cores, in seconds. It only has to rank the few ways to do one
 * convolution; its constants are fitted to per-node profiles (docs/engine.md).
 */
const MULTIPLY_ADDS_PER_SECOND = 1.6e11;
const BYTES_PER_SECOND = 3e10;
const GATHERED_BYTES_PER_SECOND = 8e9;
/** Patches of planes are gathered in pieces as long as the batch. */
const PLANES_BYTES_PER_SECOND = 3e10;
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

/** Seconds for each contraction of a convolution, and for what is made of x or y once for the two contractions that read it. */
export interface ConvCost {
  readonly forward: number;
  readonly input: number;
  readonly weight: number;
  readonly ofX: number;
  readonly ofY: number;
}

/** The contractions that a graph has. */
export type Contractions = ReadonlySet<"forward" | "input" | "weight">;

/** Seconds for the `wanted` contractions, where another method computes those in `elsewhere` at its own cost. */
export function totalCost(cost: ConvCost, wanted: Contractions, elsewhere: Partial<ConvCost> = {}): number {
  const own = (part: "forward" | "input" | "weight") => wanted.has(part) && elsewhere[part] === undefined;
  const part = (name: "forward" | "input" | "weight") => (wanted.has(name) ? (elsewhere[name] ?? cost[name]) : 0);
  const ofX = own("forward") || own("weight") ? cost.ofX : 0;
  const ofY = own("input") || own("weight") ? cost.ofY : 0;
  return part("forward") + part("input") + part("weight") + ofX + ofY;
}

/** Three products, patches gathered for two of them, and their gradient scattered back. */
export function directCost(
  { size, kernel }: ConvAttrs,
  output: readonly [number, number],
  batch: number,
  c: number,
  k: number,
): ConvCost {
  const [rows, taps] = [output[0] * output[1] * batch, kernel[0] * kernel[1]];
  const bytes = DIRECT_SURCHARGE * 4 * rows * taps * c;
  const core = DIRECT_SURCHARGE * product(1, rows, taps * c, k);
  return {
    forward: core,
    input: core + (3 * bytes) / GATHERED_BYTES_PER_SECOND + moved(size[0] * size[1] * batch * c),
    weight: core,
    ofX: bytes / (hasFewChannels(c, batch) ? PLANES_BYTES_PER_SECOND : GATHERED_BYTES_PER_SECOND),
    ofY: 0,
  };
}

/** Tiles of `m` outputs per axis; undefined where no algorithm is known. */
export function winogradCost(
  rows: AxisGeometry,
  columns: AxisGeometry,
  m: readonly [number, number],
  batch: number,
  c: number,
  k: number,
): ConvCost | undefined {
  const [rankH, rankW] = [rankOf(rows, m[0]), rankOf(columns, m[1])];
  if (rankH === undefined || rankW === undefined) return undefined;
  const [outH, outW] = [outputLength(rows), outputLength(columns)];
  const tiles = [Math.ceil(outH / m[0]), Math.ceil(outW / m[1])] as const;
  const [extentH, extentW] = [rankH * tiles[0], rankW * tiles[1]];
  /** One axis after the other, each read and written once: too much where one pass does both. */
  const passes = (inH: number, inW: number, channels: number) =>
    transformed((inH * inW + 2 * extentH * inW + extentH * extentW) * batch * channels);
  const input = passes(rows.length, columns.length, c);
  const output = passes(outH, outW, k);
  const core =
    product(rankH * rankW, tiles[0] * tiles[1] * batch, c, k) +
    moved(extentH * extentW * batch * (c + k)) +
    WEIGHT_SURCHARGE * moved(rankH * rankW * c * k);
  return {
    forward: core + output + transformed(2 * outH * outW * batch * k),
    input: core + SCATTER_SURCHARGE * input,
    weight: core,
    ofX: input,
    ofY: output,
  };
}

/** ONNX Runtime's blocked convolution sums into one register per block of filters and output; with one block it waits for them. */
const BLOCKED_MULTIPLY_ADDS_PER_SECOND = { oneBlock: 7.7e10, more: 1.38e11 };
/** Blocks of channels are gathered at full speed; putting them back takes longer. */
const PUT_BACK_SURCHARGE = 1.35;

/** Blocked convolution, and the passes around it. The adjoint makes all channels of x, so it needs x to fill blocks. */
export function blockedCost(
  { attrs: { size }, block, lanes, rows, columns }: BlockedPlan,
  batch: number,
  c: number,
  k: number,
): { readonly forward: number; readonly input?: number } {
  const phases = rows.phases * columns.phases;
  const pixels = rows.length * columns.length * batch;
  const core = (filters: number) =>
    (pixels * rows.taps * columns.taps * phases * c * k) /
    (filters === block ? BLOCKED_MULTIPLY_ADDS_PER_SECOND.oneBlock : BLOCKED_MULTIPLY_ADDS_PER_SECOND.more);
  const x = c === block ? 0 : moved(2 * size[0] * size[1] * batch * c);
  const y = k === block ? 0 : moved(2 * pixels * k);
  const apart = phases === 1 ? 0 : moved(2 * pixels * phases * c);
  const forward = core(k) + x + apart + PUT_BACK_SURCHARGE * y;
  return lanes === block ? { forward, input: core(phases * c) + y + apart + PUT_BACK_SURCHARGE * x } : { forward };
}
