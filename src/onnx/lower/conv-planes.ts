import { transpose } from "../../graph/ops/arrange.ts";
import type { ConvAttrs } from "../../graph/ops/conv-attrs.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { sum } from "../../graph/ops/reduce.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { take } from "../../graph/ops/take.ts";
import type { Tensor } from "../../graph/tensor.ts";

/**
 * `directConv` for a few channels, as a network's first layer has: a patch of [H, W, N, C] would be gathered in pieces of C numbers, so it
 * is gathered from [C, H, W, N] in pieces of N. The matrix of patches is [blocks; kh·kw·C; outputs in block, N].
 */
export interface Planes {
  readonly indices: Int32Array;
  readonly blocks: number;
  /** kh·kw·C. */
  readonly taps: number;
}

/** Fewer channels than this, and as many images per channel, make longer pieces worth a transposition. */
const FEW_CHANNELS = 5;
const IMAGES_PER_CHANNEL = 4;

export const hasFewChannels = (channels: number, batch: number): boolean =>
  channels < FEW_CHANNELS && batch >= IMAGES_PER_CHANNEL * channels;

/** For each block of outputs, tap, channel and output in the block, the row of x [C·H·W, N] it reads, or -1 in the padding. */
export function planesOf(
  { size, kernel, stride, padding }: ConvAttrs,
  output: readonly [number, number],
  batch: number,
  channels: number,
): Planes {
  const outputs = output[0] * output[1];
  const taps = kernel[0] * kernel[1] * channels;
  let blocks = Math.max(1, Math.min(64, (outputs * batch) >> 10));
  while (outputs % blocks !== 0) blocks--;
  const perBlock = outputs / blocks;
  const indices = new Int32Array(outputs * taps);
  let at = 0;
  for (let block = 0; block < blocks; block++)
    for (let i = 0; i < kernel[0]; i++)
      for (let j = 0; j < kernel[1]; j++)
        for (let c = 0; c < channels; c++)
          for (let o = block * perBlock; o < (block + 1) * perBlock; o++) {
            const h = Math.floor(o / output[1]) * stride[0] + i - padding[0];
            const w = (o % output[1]) * stride[1] + j - padding[1];
            const inside = h >= 0 && h < size[0] && w >= 0 && w < size[1];
            indices[at++] = inside ? (c * size[0] + h) * size[1] + w : -1;
          }
  return { indices, blocks, taps };
}

export function planesConv(x: Tensor, w: Tensor, planes: Planes, output: readonly [number, number]): Tensor {
  const filters = w.shape[3]!;
  const y = matmul(gatherPatches(x, planes), reshape(w, [-1, filters]), { transA: true });
  return reshape(y, [...output, x.shape[2]!, filters]);
}

export function planesConvWeight(x: Tensor, y: Tensor, planes: Planes, kernel: readonly [number, number]): Tensor {
  const [channels, filters] = [x.shape[3]!, y.shape[3]!];
  const products = matmul(gatherPatches(x, planes), reshape(y, [planes.blocks, -1, filters]));
  return reshape(sum(products, [0]), [...kernel, channels, filters]);
}

function gatherPatches(x: Tensor, { indices, blocks, taps }: Planes): Tensor {
  const planes = reshape(transpose(x, [3, 0, 1, 2]), [-1, x.shape[2]!]);
  return reshape(take(planes, 0, indices), [blocks, taps, -1]);
}
