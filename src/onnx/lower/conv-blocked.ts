import {
  type BlockedConvAttrs,
  blockedConv,
  blockedConvInput,
  blockWeights,
  fromBlocks,
  toBlocks,
} from "../../graph/ops/blocked-conv.ts";
import { type ConvAttrs, convOutputSize } from "../../graph/ops/conv-attrs.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { take } from "../../graph/ops/take.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { range } from "./axis-plan.ts";

/**
 * Convolution by ONNX Runtime's blocked kernel, which multiplies at half again the speed of a matrix product but saves no
 * multiplications: better than Winograd's algorithm where channels are few. A convolution with stride s is one with stride 1 of the s²
 * phases of x, each its own channels:
 *
 *     x[s·o + i − padding] = phase p of x at o + t    where    i − padding = s·t + p, 0 ≤ p < s
 */
export interface BlockedPlan {
  readonly attrs: ConvAttrs;
  readonly zeros: BlockedConvAttrs;
  /** Channels per block of y. */
  readonly block: number;
  /** Channels per block of x: the same, or 1 where x has fewer. */
  readonly lanes: number;
  readonly rows: AxisPhases;
  readonly columns: AxisPhases;
  /** Left out with stride 1. */
  readonly phases?: Phases;
}

/** Where what a strided convolution reads stands in x and w, and back; -1 is a zero. */
interface Phases {
  /** For each row of the phases [s·s·C/B, ⌈H/s⌉, ⌈W/s⌉, …], the row of x [C/B, H, W, …] that it is. */
  readonly ofImage: Int32Array;
  /** For each row of x, the row of the phases. */
  readonly toImage: Int32Array;
  /** For each tap of each phase [taps, taps, s, s], the tap of the kernel. */
  readonly taps: Int32Array;
}

/** One axis of the strided convolution, as `phases` plain ones. */
interface AxisPhases {
  readonly phases: number;
  /** Positions of each phase. */
  readonly length: number;
  readonly taps: number;
  readonly before: number;
  readonly after: number;
  /** The tap of the kernel that phase p has at t, or -1. */
  readonly tap: (p: number, t: number) => number;
}

/** How x and y stand in blocks; undefined where their channels do not fill any. */
export function blockedPlan(
  attrs: ConvAttrs,
  channels: number,
  filters: number,
  block: number,
): BlockedPlan | undefined {
  const [rows, columns] = [phasesOf(attrs, 0), phasesOf(attrs, 1)];
  // ONNX Runtime takes fewer channels than a block for planes, and more for blocks.
  const fewChannels = rows.phases * columns.phases * channels < block;
  const lanes = channels % block === 0 ? block : fewChannels ? 1 : undefined;
  const axes = [rows, columns];
  const fits = axes.every(({ after, before, taps }) => Math.min(after, before) >= 0 && Math.max(after, before) < taps);
  if (lanes === undefined || filters % block !== 0 || !fits) return undefined;
  const zeros = { before: [rows.before, columns.before], after: [rows.after, columns.after] } as const;
  const strided = rows.phases * columns.phases > 1;
  const phases = strided ? { phases: phasesOfImage(attrs, rows, columns, channels / lanes) } : {};
  return { attrs, zeros, block, lanes, rows, columns, ...phases };
}

function phasesOf(attrs: ConvAttrs, axis: 0 | 1): AxisPhases {
  const { size, kernel, stride, padding } = attrs;
  const [step, zeros] = [stride[axis], padding[axis]];
  const at = (tap: number) => Math.floor((tap - zeros) / step);
  const before = -at(0);
  const taps = at(kernel[axis] - 1) + before + 1;
  const length = Math.ceil(size[axis] / step);
  return {
    phases: step,
    length,
    taps,
    before,
    after: convOutputSize(attrs)[axis] - length - before + taps - 1,
    tap: (p, t) => {
      const tap = step * (t - before) + p + zeros;
      return tap >= 0 && tap < kernel[axis] ? tap : -1;
    },
  };
}

/** y of x [H, W, N, C] and w [kh, kw, C, K]. */
export const blockedForward = (x: Tensor, w: Tensor, plan: BlockedPlan): Tensor =>
  fromBlocks(blockedConv(toPhases(toBlocks(x, plan.lanes), plan), weightsOf(w, plan), plan.zeros));

/** x of y and w, where x fills blocks. */
export const blockedInput = (y: Tensor, w: Tensor, plan: BlockedPlan): Tensor =>
  fromBlocks(fromPhases(blockedConvInput(toBlocks(y, plan.block), weightsOf(w, plan), plan.zeros), plan));

function phasesOfImage(
  { size: [height, width], kernel: [, kw] }: ConvAttrs,
  rows: AxisPhases,
  columns: AxisPhases,
  blocks: number,
): Phases {
  const ofImage = range(rows.phases).flatMap((p) =>
    range(columns.phases).flatMap((q) =>
      range(blocks).flatMap((block) =>
        range(rows.length).flatMap((i) =>
          range(columns.length).map((j) => {
            const [h, w] = [rows.phases * i + p, columns.phases * j + q];
            return h < height && w < width ? (block * height + h) * width + w : -1;
          }),
        ),
      ),
    ),
  );
  const toImage = new Int32Array(blocks * height * width);
  ofImage.forEach((place, row) => {
    if (place >= 0) toImage[place] = row;
  });
  const taps = range(rows.taps).flatMap((t) =>
    range(columns.taps).flatMap((u) =>
      range(rows.phases).flatMap((p) =>
        range(columns.phases).map((q) => {
          const [i, j] = [rows.tap(p, t), columns.tap(q, u)];
          return i < 0 || j < 0 ? -1 : i * kw + j;
        }),
      ),
    ),
  );
  return { ofImage: Int32Array.from(ofImage), toImage, taps: Int32Array.from(taps) };
}

/** [C/B, H, W, N, B] → [s·s·C/B, ⌈H/s⌉, ⌈W/s⌉, N, B]: the blocks of one phase after those of another. */
function toPhases(x: Tensor, { phases, rows, columns }: BlockedPlan): Tensor {
  if (phases === undefined) return x;
  const [, , , batch, lanes] = x.shape as [number, number, number, number, number];
  const moved = take(reshape(x, [-1, batch * lanes]), 0, phases.ofImage);
  return reshape(moved, [-1, rows.length, columns.length, batch, lanes]);
}

/** The adjoint of `toPhases`. */
function fromPhases(x: Tensor, { attrs: { size }, phases }: BlockedPlan): Tensor {
  if (phases === undefined) return x;
  const [, , , batch, lanes] = x.shape as [number, number, number, number, number];
  return reshape(take(reshape(x, [-1, batch * lanes]), 0, phases.toImage), [-1, ...size, batch, lanes]);
}

/** The kernel of each phase, with zeros for taps that it does not have; phases are channels of their own. */
function weightsOf(w: Tensor, { block, lanes, rows, columns, phases }: BlockedPlan): Tensor {
  if (phases === undefined) return blockWeights(w, lanes, block);
  const [kh, kw, channels, filters] = w.shape as [number, number, number, number];
  const spread = take(reshape(w, [kh * kw, channels * filters]), 0, phases.taps);
  return blockWeights(reshape(spread, [rows.taps, columns.taps, -1, filters]), lanes, block);
}
