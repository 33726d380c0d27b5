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
  return { attrs, zeros, block, lanes, rows, columns };
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

/** [C/B, H, W, N, B] → [s·s·C/B, ⌈H/s⌉, ⌈W/s⌉, N, B]: the blocks of one phase after those of another. */
function toPhases(x: Tensor, { attrs: { size }, rows, columns }: BlockedPlan): Tensor {
  if (rows.phases * columns.phases === 1) return x;
  const [blocks, height, width, batch, lanes] = x.shape as [number, number, number, number, number];
  const places = range(rows.phases).flatMap((p) =>
    range(columns.phases).flatMap((q) =>
      range(blocks).flatMap((block) =>
        range(rows.length).flatMap((i) =>
          range(columns.length).map((j) => {
            const [h, w] = [rows.phases * i + p, columns.phases * j + q];
            return h < size[0] && w < size[1] ? (block * height + h) * width + w : -1;
          }),
        ),
      ),
    ),
  );
  const moved = take(reshape(x, [blocks * height * width, batch * lanes]), 0, Int32Array.from(places));
  return reshape(moved, [rows.phases * columns.phases * blocks, rows.length, columns.length, batch, lanes]);
}

/** The adjoint of `toPhases`. */
function fromPhases(phases: Tensor, { attrs: { size }, rows, columns }: BlockedPlan): Tensor {
  const count = rows.phases * columns.phases;
  if (count === 1) return phases;
  const [all, , , batch, lanes] = phases.shape as [number, number, number, number, number];
  const blocks = all / count;
  const places = range(blocks).flatMap((block) =>
    range(size[0]).flatMap((h) =>
      range(size[1]).map((w) => {
        const phase = (h % rows.phases) * columns.phases + (w % columns.phases);
        const row = (phase * blocks + block) * rows.length + Math.floor(h / rows.phases);
        return row * columns.length + Math.floor(w / columns.phases);
      }),
    ),
  );
  const moved = take(reshape(phases, [all * rows.length * columns.length, batch * lanes]), 0, Int32Array.from(places));
  return reshape(moved, [blocks, ...size, batch, lanes]);
}

/** The kernel of each phase, with zeros for taps that it does not have. */
function weightsOf(w: Tensor, { block, lanes, rows, columns }: BlockedPlan): Tensor {
  const [kh, kw, channels, filters] = w.shape as [number, number, number, number];
  const phases = rows.phases * columns.phases;
  if (phases === 1) return blockWeights(w, lanes, block);
  // Phases are channels of their own: [taps, taps, (phase, phase, C), K] is what `blockWeights` reads.
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
  const spread = take(reshape(w, [kh * kw, channels * filters]), 0, Int32Array.from(taps));
  return blockWeights(reshape(spread, [rows.taps, columns.taps, phases * channels, filters]), lanes, block);
}
