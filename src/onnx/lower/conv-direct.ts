import type { ConvAttrs } from "../../graph/ops/conv-attrs.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { sum } from "../../graph/ops/reduce.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { putBack, take } from "../../graph/ops/take.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sizeOf } from "../../util/shape.ts";

/**
 * Convolution as the sum it is defined by: the patches of x are gathered into a matrix [Ho·Wo·N, kh·kw·C] and multiplied with w.
 * Works for every geometry and dtype; its rounding is that of a matrix product.
 */
export function directConv(x: Tensor, w: Tensor, patches: Int32Array, output: readonly [number, number]): Tensor {
  const filters = w.shape[3]!;
  const y = matmul(gatherPatches(x, w.shape, patches), reshape(w, [-1, filters]));
  return reshape(y, [...output, x.shape[2]!, filters]);
}

/** Each patch's share of the gradient goes back to where the patch was read. */
export function directConvInput(y: Tensor, w: Tensor, patches: Int32Array, size: readonly [number, number]): Tensor {
  const [channels, filters] = w.shape.slice(2) as [number, number];
  const batch = y.shape[2]!;
  const shares = matmul(reshape(y, [-1, filters]), reshape(w, [-1, filters]), { transB: true });
  const x = putBack(reshape(shares, [-1, channels]), 0, patches, size[0] * size[1] * batch);
  return reshape(x, [...size, batch, channels]);
}

export function directConvWeight(x: Tensor, y: Tensor, patches: Int32Array, kernel: readonly [number, number]): Tensor {
  const [channels, filters] = [x.shape[3]!, y.shape[3]!];
  const weight = [...kernel, channels, filters];
  return reshape(tallProduct(gatherPatches(x, weight, patches), reshape(y, [-1, filters])), weight);
}

/** aᵀ·b for tall a and b, over blocks of rows: one product over 10⁵ rows keeps a single thread busy. */
export function tallProduct(a: Tensor, b: Tensor): Tensor {
  const rows = a.shape[0]!;
  let blocks = Math.max(1, Math.min(64, rows >> 10));
  while (rows % blocks !== 0) blocks--;
  if (blocks === 1) return matmul(a, b, { transA: true });
  const split = (t: Tensor) => reshape(t, [blocks, rows / blocks, t.shape[1]!]);
  return sum(matmul(split(a), split(b), { transA: true }), [0]);
}

function gatherPatches(x: Tensor, weight: readonly number[], patches: Int32Array): Tensor {
  const channels = x.shape[3]!;
  const gathered = take(reshape(x, [-1, channels]), 0, patches);
  return reshape(gathered, [-1, sizeOf(weight.slice(0, 3))]);
}

/** For each output row (h, w, n) and tap, the row of x [H·W·N, C] it reads, or -1 in the padding. */
export function patchIndices(
  { size, kernel, stride, padding }: ConvAttrs,
  output: readonly [number, number],
  batch: number,
) {
  const indices = new Int32Array(output[0] * output[1] * batch * kernel[0] * kernel[1]);
  let at = 0;
  for (let oh = 0; oh < output[0]; oh++)
    for (let ow = 0; ow < output[1]; ow++)
      for (let n = 0; n < batch; n++)
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const h = oh * stride[0] + i - padding[0];
            const w = ow * stride[1] + j - padding[1];
            const inside = h >= 0 && h < size[0] && w >= 0 && w < size[1];
            indices[at++] = inside ? (h * size[1] + w) * batch + n : -1;
          }
  return indices;
}
