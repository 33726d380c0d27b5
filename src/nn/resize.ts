import { matmul } from "../graph/ops/matmul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { constant } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ShapeError } from "../util/errors.ts";
import { showShape } from "../util/shape.ts";

/** How pixels between pixels are found: from the two or the four nearest along each axis. */
export type Interpolation = "bilinear" | "bicubic";

/** Parameter of the cubic convolution kernel (Keys 1981), as PyTorch has it. */
const A = -0.75;

const near = (t: number): number => ((A + 2) * t - (A + 3)) * t * t + 1;
const far = (t: number): number => ((A * t - 5 * A) * t + 8 * A) * t - 4 * A;

/** Weights of the pixels from `first` on, for a place a fraction `t` past a pixel. */
const taps: Readonly<Record<Interpolation, { readonly first: number; weights(t: number): readonly number[] }>> = {
  bilinear: { first: 0, weights: (t) => [1 - t, t] },
  bicubic: { first: -1, weights: (t) => [far(1 + t), near(t), near(1 - t), far(2 - t)] },
};

/**
 * The matrix [to, from] that resizes one axis as PyTorch's `interpolate` with `align_corners=False` and no antialiasing: pixel i of the result lies
 * at (i + ½)·from/to − ½, and pixels beyond the border are those at it.
 */
export function interpolationMatrix(from: number, to: number, kind: Interpolation): Float64Array {
  const matrix = new Float64Array(to * from);
  const { first, weights } = taps[kind];
  for (let i = 0; i < to; i++) {
    const place = ((i + 0.5) * from) / to - 0.5;
    const start = Math.floor(place);
    for (const [k, weight] of weights(place - start).entries()) {
      const at = Math.min(Math.max(start + first + k, 0), from - 1);
      matrix[i * from + at]! += weight;
    }
  }
  return matrix;
}

/**
 * Images [N, C, H, W] resized to [N, C, height, width] by bilinear interpolation, as PyTorch's `interpolate` with `align_corners=False`: two
 * products with constant matrices.
 *
 * @throws ShapeError where x has not four axes
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: resizeImages(x, 1, 4) }), { x: { shape: [1, 1, 1, 2] } });
 * console.log((await f.run({ x: [0, 4] })).y); // [0, 1, 3, 4]
 * ```
 */
export function resizeImages(x: Tensor, height: number, width: number): Tensor {
  if (x.shape.length !== 4)
    throw new ShapeError(`resizeImages: ${showShape(x.shape)}, expected images [N, C, H, W]`, { shape: x.shape });
  const [count, channels, rows, columns] = x.shape as [number, number, number, number];
  const matrix = (from: number, to: number) => constant(interpolationMatrix(from, to, "bilinear"), [to, from], x.dtype);
  const across = matmul(reshape(x, [-1, columns]), matrix(columns, width), { transB: true });
  const down = matmul(matrix(rows, height), reshape(across, [-1, rows, width]));
  return reshape(down, [count, channels, height, width]);
}
